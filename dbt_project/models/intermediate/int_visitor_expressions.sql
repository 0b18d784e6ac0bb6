with

    -- Not those who leave the counts.
    sightings as (
        select *
        from {{ ref("int_sightings_identified") }}
        where face_id is not null and not is_excluded
    ),

    face_attributes as (
        select * from {{ ref("stg_face_attributes") }} where neutral is not null
    ),

    location_attributes as (
        select *
        from {{ ref("stg_location_attributes") }}
        where attribute = 'expression'
    ),

    other_zones as (select * from {{ ref("int_camera_zones") }} where not is_drawn),

    guessed as (

        select
            sightings.face_id,
            sightings.location_id,
            sightings.camera_id,
            coalesce(
                sightings.drawn_zone, other_zones.zone, sightings.camera_id
            ) as zone,
            sightings.business_day,
            face_attributes.* exclude (face_image_id)

        from sightings
        inner join
            face_attributes on sightings.face_image_id = face_attributes.face_image_id
        -- What was switched off since leaves at once, computed or not.
        inner join
            location_attributes
            on sightings.location_id = location_attributes.location_id
            and sightings.business_day >= location_attributes.valid_from
            and sightings.business_day < location_attributes.effective_to
        left join
            other_zones
            on sightings.camera_id = other_zones.camera_id
            and sightings.business_day >= other_zones.effective_from
            and sightings.business_day < other_zones.effective_to

    ),

    -- Twice: a camera may see several zones, and several cameras one zone.
    final as (

        select
            face_id,
            location_id,
            camera_id,
            zone,
            business_day,
            count(*) as faces,
            avg(neutral) as neutral,
            avg(happy) as happy,
            avg(sad) as sad,
            avg(angry) as angry,
            avg(fearful) as fearful,
            avg(disgusted) as disgusted,
            avg(surprised) as surprised

        from guessed
        group by
            grouping sets (
                (face_id, location_id, camera_id, business_day),
                (face_id, location_id, zone, business_day)
            )

    )

select *
from final
