with

    sightings as (
        select *
        from {{ ref("int_sightings_identified") }}
        where is_excluded is not true
    ),

    location_versions as (select * from {{ ref("int_location_versions") }}),

    -- Visitors first, then windows: both steps aggregate by hash, a distinct count
    -- of many small groups does not.
    visitor_windows as (

        select
            location_id,
            business_day,
            {{ window_of("captured_at") }} as window_number,
            face_id,
            count(*) as sightings

        from sightings
        group by location_id, business_day, window_number, face_id

    ),

    windows as (

        select
            location_id,
            business_day,
            window_number,
            sum(sightings)::bigint as sightings,
            coalesce(sum(sightings) filter (where face_id is null), 0)::bigint
            as unidentified_sightings,
            count(face_id) as unique_visitors

        from visitor_windows
        group by location_id, business_day, window_number

    )

select
    windows.location_id,
    windows.business_day,
    {{ window_start("windows.window_number") }} as window_starts_at,
    windows.sightings,
    windows.unidentified_sightings,
    case
        when location_versions.mode = 'unique' then windows.unique_visitors
    end as unique_visitors

from windows
left join
    location_versions
    on windows.location_id = location_versions.location_id
    and windows.business_day >= location_versions.effective_from
    and windows.business_day < location_versions.effective_to
order by windows.business_day, windows.location_id, windows.window_number
