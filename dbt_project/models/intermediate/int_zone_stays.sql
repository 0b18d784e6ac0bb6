with

    drawn_runs as (select * from {{ ref("int_drawn_zone_runs") }}),

    appearances as (select * from {{ ref("int_appearances") }}),

    camera_zones as (select * from {{ ref("int_camera_zones") }}),

    visibility as (select * from {{ ref("int_camera_visibility") }}),

    drawing as (
        select distinct camera_id, effective_from, effective_to
        from camera_zones
        where is_drawn
    ),

    whole_pictures as (

        select camera_zones.*
        from camera_zones
        anti join
            drawing
            on camera_zones.camera_id = drawing.camera_id
            and camera_zones.effective_from = drawing.effective_from

    ),

    -- Where nothing is drawn all that a camera sees is one zone, and its appearances
    -- are the runs: the many sightings are not read again.
    runs as (

        select
            face_id,
            visitor_id,
            linkage_window,
            camera_id,
            location_id,
            zone,
            business_day,
            started_at,
            ended_at,
            sightings,
            interval_s
        from drawn_runs

        union all

        select
            appearances.face_id,
            appearances.visitor_id,
            appearances.linkage_window,
            appearances.camera_id,
            appearances.location_id,
            coalesce(whole_pictures.zone, appearances.camera_id) as zone,
            appearances.business_day,
            appearances.started_at,
            appearances.ended_at,
            appearances.sightings,
            appearances.interval_s
        from appearances
        left join
            whole_pictures
            on appearances.camera_id = whole_pictures.camera_id
            and appearances.business_day >= whole_pictures.effective_from
            and appearances.business_day < whole_pictures.effective_to
        anti join
            drawing
            on appearances.camera_id = drawing.camera_id
            and appearances.business_day >= drawing.effective_from
            and appearances.business_day < drawing.effective_to

    ),

    -- Several cameras may see one zone: a stay is what any of them saw.
    last_seen as (

        select
            runs.*,
            runs.interval_s / coalesce(visibility.visibility, 1) as wait_s,
            max(runs.interval_s) over (
                partition by
                    runs.face_id, runs.location_id, runs.zone, runs.business_day
            ) as longest_interval_s,
            max(runs.ended_at) over (
                partition by
                    runs.face_id, runs.location_id, runs.zone, runs.business_day
                order by runs.started_at, runs.ended_at, runs.camera_id
                rows between unbounded preceding and 1 preceding
            ) as seen_before

        from runs
        left join
            visibility
            on runs.camera_id = visibility.camera_id
            and runs.linkage_window = visibility.linkage_window
            and runs.interval_s = visibility.interval_s

    ),

    -- No stay is longer than its visit: where the slowest camera's gap is longer than
    -- that of a visit, the visit's holds.
    numbered as (

        select
            *,
            count(*) filter (
                where
                    epoch_us(started_at) - epoch_us(seen_before)
                    > 1000000
                    * least(
                        greatest(
                            {{ var("appearance_gap_s") }},
                            {{ var("appearance_gap_intervals") }} * longest_interval_s
                        ),
                        {{ var("visit_gap_s") }}
                    )
            ) over (
                partition by face_id, location_id, zone, business_day
                order by started_at, ended_at, camera_id
                rows between unbounded preceding and current row
            ) as stay_number

        from last_seen

    ),

    stays as (

        select
            face_id,
            visitor_id,
            linkage_window,
            location_id,
            zone,
            business_day,
            min(started_at) as started_at,
            max(ended_at) as ended_at,
            sum(sightings)::bigint as sightings,
            count(distinct camera_id) as cameras,
            first(wait_s order by started_at, camera_id) as first_wait_s,
            last(wait_s order by ended_at, camera_id) as last_wait_s

        from numbered
        group by
            face_id,
            visitor_id,
            linkage_window,
            location_id,
            zone,
            business_day,
            stay_number

    ),

    final as (

        select
            face_id,
            visitor_id,
            linkage_window,
            location_id,
            zone,
            business_day,
            started_at,
            ended_at,
            sightings,
            cameras,
            (epoch_us(ended_at) - epoch_us(started_at)) / 1000000 as dwell_lower_s,
            dwell_lower_s + (first_wait_s + last_wait_s) / 2 as dwell_midpoint_s,
            dwell_lower_s + first_wait_s + last_wait_s as dwell_upper_s

        from stays

    )

select *
from final
