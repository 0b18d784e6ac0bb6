with

    appearances as (select * from {{ ref("int_appearances") }}),

    days as (

        select
            visitor_id,
            any_value(visitor_number) as visitor_number,
            face_id,
            linkage_window,
            camera_id,
            any_value(camera_number) as camera_number,
            location_id,
            business_day,
            count(*) as appearances,
            sum(sightings)::bigint as sightings,
            min(started_at) as first_seen_at,
            max(ended_at) as last_seen_at

        from appearances
        group by
            visitor_id, face_id, linkage_window, camera_id, location_id, business_day

    )

-- sorted by neighbouring cameras, then day: a report reads those it is about
select
    visitor_id,
    visitor_number,
    face_id,
    linkage_window,
    camera_id,
    camera_number,
    location_id,
    business_day,
    appearances,
    sightings,
    first_seen_at,
    last_seen_at

from days
order by {{ camera_block("camera_number") }}, business_day, camera_number
