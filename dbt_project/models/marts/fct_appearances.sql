with appearances as (select * from {{ ref("int_appearances") }})

-- sorted by day, so that a report reads the days it is asked for and no others
select
    appearance_id,
    face_id,
    visitor_id,
    linkage_window,
    camera_id,
    location_id,
    business_day,
    started_at,
    ended_at,
    sightings

from appearances
order by business_day, location_id
