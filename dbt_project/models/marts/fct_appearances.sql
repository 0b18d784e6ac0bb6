with appearances as (select * from {{ ref("int_appearances") }})

-- sorted by neighbouring cameras, then day: a report reads those it is about
select
    appearance_id,
    face_id,
    visitor_id,
    visitor_number,
    linkage_window,
    camera_id,
    camera_number,
    location_id,
    business_day,
    started_at,
    ended_at,
    sightings

from appearances
order by {{ camera_block("camera_number") }}, business_day, camera_number
