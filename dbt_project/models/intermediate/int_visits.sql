with

    visibility as (select * from {{ ref("int_camera_visibility") }}),

    appearances as (

        select
            appearances.*,
            appearances.interval_s / coalesce(visibility.visibility, 1) as wait_s

        from {{ ref("int_appearances") }} as appearances
        left join
            visibility
            on appearances.camera_id = visibility.camera_id
            and appearances.linkage_window = visibility.linkage_window
            and appearances.interval_s = visibility.interval_s

    ),

    -- Who is at a location for no longer than a visit may pause makes one visit that
    -- day: most do. Only the others are sorted.
    location_days as (

        select
            face_id,
            location_id,
            business_day,
            {{ visit_figures() }},
            epoch_us(max(ended_at)) - epoch_us(min(started_at))
            <= 1000000::bigint * {{ var("visit_gap_s") }} as is_one_visit

        from appearances
        group by face_id, location_id, business_day

    ),

    -- Appearances at two cameras may overlap: what counts is when the visitor was
    -- last seen anywhere at the location.
    last_seen as (

        select
            appearances.*,
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
        inner join
            location_days
            on appearances.face_id = location_days.face_id
            and appearances.location_id = location_days.location_id
            and appearances.business_day = location_days.business_day
            and not location_days.is_one_visit

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

        select * exclude (is_one_visit)
        from location_days
        where is_one_visit
        union all by name
        select face_id, location_id, business_day, {{ visit_figures() }}
        from numbered
        group by face_id, location_id, business_day, visit_number

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
            visitor_number,
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
