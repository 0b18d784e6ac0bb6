with

    sightings as (
        select *
        from {{ ref("int_sightings_identified") }}
        where is_excluded is not true
    ),

    final as (

        select
            location_id,
            business_day,
            {{ quarter_of("captured_at") }} as quarter,
            face_id,
            count(*) as sightings

        from sightings
        group by location_id, business_day, quarter, face_id

    )

select *
from final
