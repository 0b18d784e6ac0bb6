with visits as (select * from {{ ref("int_visits") }})

select
    visit_id,
    face_id,
    visitor_id,
    visitor_number,
    linkage_window,
    location_id,
    business_day,
    started_at,
    ended_at,
    appearances,
    sightings,
    cameras,
    dwell_lower_s,
    dwell_midpoint_s,
    dwell_upper_s

from visits
order by business_day, location_id
