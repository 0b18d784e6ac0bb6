with visitor_days as (select * from {{ ref("int_visitor_days") }})

select
    linkage_window,
    visitor_id,
    face_id,
    min(business_day) as first_day,
    max(business_day) as last_day,
    count(distinct business_day) as days_seen,
    count(distinct location_id) as locations,
    sum(visits)::bigint as visits,
    sum(appearances)::bigint as appearances,
    sum(sightings)::bigint as sightings

from visitor_days
group by linkage_window, visitor_id, face_id
order by linkage_window, visitor_id
