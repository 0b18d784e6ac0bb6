with

    visits as (select * from {{ ref("int_visits") }}),

    final as (

        select
            linkage_window,
            face_id,
            visitor_id,
            location_id,
            business_day,
            count(*) as visits,
            sum(appearances)::bigint as appearances,
            sum(sightings)::bigint as sightings

        from visits
        group by linkage_window, face_id, visitor_id, location_id, business_day

    )

select *
from final
