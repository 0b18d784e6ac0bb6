with

    appearances as (select * from {{ ref("int_appearances") }}),

    visibility as (select * from {{ ref("int_camera_visibility") }}),

    -- Appearances at two cameras may overlap: what counts is when the visitor was
    -- last seen anywhere at the location.
    last_seen as (

        select
            appearances.*,
            appearances.interval_s / coalesce(visibility.visibility, 1) as wait_s,
            max(appearances.ended_at) over (
                partition by
                    appearances.face_id,
                    appearances.location_id,
                    appearances.business_day
                order by
                    appearances.started_at, appearances.ended_at, appearances.camera_id
                rows between unbounded preceding and 1 preceding
            ) as seen_before

        from appearances
        left join
            visibility
            on appearances.camera_id = visibility.camera_id
            and appearances.linkage_window = visibility.linkage_window
            and appearances.interval_s = visibility.interval_s

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
            first(wait_s order by started_at, camera_id) as first_wait_s,
            last(wait_s order by ended_at, camera_id) as last_wait_s

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
            dwell_lower_s + (first_wait_s + last_wait_s) / 2 as dwell_midpoint_s,
            dwell_lower_s + first_wait_s + last_wait_s as dwell_upper_s

        from visits

    )

select *
from final
