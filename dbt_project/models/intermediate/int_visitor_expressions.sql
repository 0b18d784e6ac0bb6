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

    final as (

        select
            sightings.face_id,
            sightings.location_id,
            sightings.camera_id,
            sightings.business_day,
            count(*) as faces,
            avg(face_attributes.neutral) as neutral,
            avg(face_attributes.happy) as happy,
            avg(face_attributes.sad) as sad,
            avg(face_attributes.angry) as angry,
            avg(face_attributes.fearful) as fearful,
            avg(face_attributes.disgusted) as disgusted,
            avg(face_attributes.surprised) as surprised

        from sightings
        inner join
            face_attributes on sightings.face_image_id = face_attributes.face_image_id
        -- What was switched off since leaves at once, computed or not.
        inner join
            location_attributes
            on sightings.location_id = location_attributes.location_id
            and sightings.business_day >= location_attributes.valid_from
            and sightings.business_day < location_attributes.effective_to
        group by
            sightings.face_id,
            sightings.location_id,
            sightings.camera_id,
            sightings.business_day

    )

select *
from final
