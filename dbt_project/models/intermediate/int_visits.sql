with

    appearances as (select * from {{ ref("int_appearances") }}),

    -- Appearances at two cameras may overlap: what counts is when the visitor was
    -- last seen anywhere at the location.
    last_seen as (

        select
            *,
            max(ended_at) over (
                partition by face_id, location_id, business_day
                order by started_at, ended_at, camera_id
                rows between unbounded preceding and 1 preceding
            ) as seen_before

        from appearances

    ),

    numbered as (

        select
            *,
            count(*) filter (
                where
                    epoch_us(started_at) - epoch_us(seen_before)
                    > 1000000::bigint * {{ var("visit_gap_s") }}
            ) over (
                partition by face_id, location_id, business_day
                order by started_at, ended_at, camera_id
                rows between unbounded preceding and current row
            ) as visit_number

        from last_seen

    ),

    visits as (

        select
            face_id,
            visitor_id,
            linkage_window,
            location_id,
            business_day,
            visit_number,
            min(started_at) as started_at,
            max(ended_at) as ended_at,
            count(*) as appearances,
            sum(sightings)::bigint as sightings,
            count(distinct camera_id) as cameras,
            first(interval_s order by started_at, camera_id) as first_interval_s,
            last(interval_s order by ended_at, camera_id) as last_interval_s

        from numbered
        group by
            face_id, visitor_id, linkage_window, location_id, business_day, visit_number

    ),

    final as (

        select
            {{
                stable_uuid(
                    "visit", ["face_id", "location_id", "epoch_us(started_at)"]
                )
            }} as visit_id,
            face_id,
            visitor_id,
            linkage_window,
            location_id,
            business_day,
            started_at,
            ended_at,
            appearances,
            sightings,
            cameras,
            (epoch_us(ended_at) - epoch_us(started_at)) / 1000000 as dwell_lower_s,
            dwell_lower_s + first_interval_s + last_interval_s as dwell_upper_s

        from visits

    )

select *
from final
