with sightings as (select * from {{ ref("int_sightings_identified") }})

-- sorted by day, so that a report reads the days it is asked for and no others
select
    linkage_window,
    location_id,
    camera_id,
    any_value(camera_number) as camera_number,
    business_day,
    count(*) as sightings,
    count(*) filter (where visitor_id is null) as unidentified_sightings,
    count(*) filter (where unidentified_reason = 'count_only') as only_counted_sightings

from sightings
where is_excluded is not true
group by linkage_window, location_id, camera_id, business_day
order by business_day, location_id, camera_id, linkage_window
