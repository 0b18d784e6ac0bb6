with appearances as (select * from {{ ref("int_appearances") }})

select
    visitor_id,
    face_id,
    linkage_window,
    camera_id,
    location_id,
    business_day,
    count(*) as appearances,
    sum(sightings)::bigint as sightings,
    min(started_at) as first_seen_at,
    max(ended_at) as last_seen_at

from appearances
group by visitor_id, face_id, linkage_window, camera_id, location_id, business_day
order by linkage_window, visitor_id, business_day, camera_id
