with

    -- Not those who leave the counts.
    sightings as (
        select *
        from {{ ref("int_sightings_identified") }}
        where face_id is not null and not is_excluded
    ),

    face_attributes as (
        select *
        from {{ ref("stg_face_attributes") }}
        where age_years is not null or female is not null
    ),

    location_attributes as (select * from {{ ref("stg_location_attributes") }}),

    -- What was switched off since leaves at once, computed or not.
    switched_on as (

        select
            sightings.face_id,
            sightings.location_id,
            sightings.business_day,
            face_attributes.age_years,
            face_attributes.female,
            bool_or(location_attributes.attribute = 'age') as has_age,
            bool_or(location_attributes.attribute = 'gender') as has_gender

        from sightings
        inner join
            face_attributes on sightings.face_image_id = face_attributes.face_image_id
        inner join
            location_attributes
            on sightings.location_id = location_attributes.location_id
            and sightings.business_day >= location_attributes.valid_from
            and sightings.business_day < location_attributes.effective_to
        group by
            sightings.face_image_id,
            sightings.face_id,
            sightings.location_id,
            sightings.business_day,
            face_attributes.age_years,
            face_attributes.female

    ),

    final as (

        select
            face_id,
            location_id,
            business_day,
            count(*) as faces,
            avg(age_years) filter (where has_age) as age_years,
            avg(female) filter (where has_gender) as female

        from switched_on
        where has_age or has_gender
        group by face_id, location_id, business_day

    )

select *
from final
