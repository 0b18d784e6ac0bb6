with

    coverage as (select * from {{ ref("int_coverage_counted") }}),

    visitor_quarters as (select * from {{ ref("int_visitor_quarters") }}),

    visits as (select * from {{ ref("int_visits") }}),

    location_versions as (select * from {{ ref("int_location_versions") }}),

    frames as (

        select
            location_id,
            business_day,
            sum(frames_expected)::bigint as frames_expected,
            sum(frames_captured)::bigint as frames_captured,
            sum(frames_kept)::bigint as frames_kept

        from coverage
        group by location_id, business_day

    ),

    seen as (

        select
            location_id,
            business_day,
            sum(sightings)::bigint as sightings,
            coalesce(sum(sightings) filter (where face_id is null), 0)::bigint
            as unidentified_sightings

        from visitor_quarters
        group by location_id, business_day

    ),

    visited as (

        select
            location_id,
            business_day,
            count(distinct face_id) as unique_visitors,
            count(*) as visits,
            sum(appearances)::bigint as appearances

        from visits
        group by location_id, business_day

    ),

    days as (

        select
            coalesce(frames.location_id, seen.location_id) as location_id,
            coalesce(frames.business_day, seen.business_day) as business_day,
            coalesce(frames.frames_expected, 0) as frames_expected,
            coalesce(frames.frames_captured, 0) as frames_captured,
            coalesce(frames.frames_kept, 0) as frames_kept,
            coalesce(seen.sightings, 0) as sightings,
            coalesce(seen.unidentified_sightings, 0) as unidentified_sightings,
            -- A day on which no camera delivered a frame is unknown, not empty.
            frames_captured > 0 or sightings > 0 as is_known

        from frames
        full join
            seen
            on frames.location_id = seen.location_id
            and frames.business_day = seen.business_day

    )

select
    days.location_id,
    days.business_day,
    {{ linkage_window("days.business_day") }} as linkage_window,
    case
        when days.is_known and location_versions.mode = 'unique'
        then coalesce(visited.unique_visitors, 0)
    end as unique_visitors,
    case
        when days.is_known and location_versions.mode = 'unique'
        then coalesce(visited.visits, 0)
    end as visits,
    case
        when days.is_known and location_versions.mode = 'unique'
        then coalesce(visited.appearances, 0)
    end as appearances,
    case when days.is_known then days.sightings end as sightings,
    case
        when days.is_known then days.unidentified_sightings
    end as unidentified_sightings,
    days.frames_expected,
    days.frames_captured,
    days.frames_kept

from days
left join
    visited
    on days.location_id = visited.location_id
    and days.business_day = visited.business_day
left join
    location_versions
    on days.location_id = location_versions.location_id
    and days.business_day >= location_versions.effective_from
    and days.business_day < location_versions.effective_to
order by days.business_day, days.location_id
