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

    -- Zones that one camera sees, and nothing else of: there an appearance is a stay.
    alone as (

        select location_id, zone
        from camera_zones
        group by location_id, zone
        having count(distinct camera_id) = 1 and not bool_or(is_drawn)

    ),

    -- Where nothing is drawn all that a camera sees is one zone, and its appearances
    -- are the runs: the many sightings are not read again.
    runs as (

        select
            face_id,
            visitor_id,
            visitor_number,
            linkage_window,
            camera_id,
            camera_number,
            location_id,
            zone,
            business_day,
            started_at,
            ended_at,
            sightings,
            interval_s,
            false as is_stay
        from drawn_runs

        union all

        select
            appearances.face_id,
            appearances.visitor_id,
            appearances.visitor_number,
            appearances.linkage_window,
            appearances.camera_id,
            appearances.camera_number,
            appearances.location_id,
            coalesce(whole_pictures.zone, appearances.camera_id) as zone,
            appearances.business_day,
            appearances.started_at,
            appearances.ended_at,
            appearances.sightings,
            appearances.interval_s,
            alone.zone is not null
            and greatest(
                {{ var("appearance_gap_s") }},
                {{ var("appearance_gap_intervals") }} * appearances.interval_s
            )
            <= {{ var("visit_gap_s") }} as is_stay
        from appearances
        left join
            whole_pictures
            on appearances.camera_id = whole_pictures.camera_id
            and appearances.business_day >= whole_pictures.effective_from
            and appearances.business_day < whole_pictures.effective_to
        left join
            alone
            on whole_pictures.location_id = alone.location_id
            and whole_pictures.zone = alone.zone
        anti join
            drawing
            on appearances.camera_id = drawing.camera_id
            and appearances.business_day >= drawing.effective_from
            and appearances.business_day < drawing.effective_to

    ),

    timed as (

        select runs.*, runs.interval_s / coalesce(visibility.visibility, 1) as wait_s

        from runs
        left join
            visibility
            on runs.camera_id = visibility.camera_id
            and runs.linkage_window = visibility.linkage_window
            and runs.interval_s = visibility.interval_s

    ),

    -- Several cameras may see one zone: a stay is what any of them saw. No stay is
    -- longer than its visit: where the slowest camera's gap is longer than that of a
    -- visit, the visit's holds. Who is in a zone for no longer than the gap has one
    -- stay there that day: most have. Only the others are sorted.
    zone_days as (

        select
            face_id,
            location_id,
            zone,
            business_day,
            {{ visit_figures() }},
            1000000 * least(
                greatest(
                    {{ var("appearance_gap_s") }},
                    {{ var("appearance_gap_intervals") }} * max(interval_s)
                ),
                {{ var("visit_gap_s") }}
            ) as longest_gap_us,
            epoch_us(max(ended_at)) - epoch_us(min(started_at))
            <= longest_gap_us as is_one_stay

        from timed
        where not is_stay
        group by face_id, location_id, zone, business_day

    ),

    last_seen as (

        select
            timed.*,
            zone_days.longest_gap_us,
            max(timed.ended_at) over (
                partition by
                    timed.face_id, timed.location_id, timed.zone, timed.business_day
                order by timed.started_at, timed.ended_at, timed.camera_id
                rows between unbounded preceding and 1 preceding
            ) as seen_before

        from timed
        inner join
            zone_days
            on timed.face_id = zone_days.face_id
            and timed.location_id = zone_days.location_id
            and timed.zone = zone_days.zone
            and timed.business_day = zone_days.business_day
            and not zone_days.is_one_stay
            and not timed.is_stay

    ),

    numbered as (

        select
            *,
            count(*) filter (
                where epoch_us(started_at) - epoch_us(seen_before) > longest_gap_us
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
            location_id,
            zone,
            business_day,
            visitor_id,
            visitor_number,
            linkage_window,
            started_at,
            ended_at,
            1 as appearances,
            sightings,
            1 as cameras,
            wait_s as first_wait_s,
            wait_s as last_wait_s
        from timed
        where is_stay
        union all by name
        select * exclude (longest_gap_us, is_one_stay)
        from zone_days
        where is_one_stay
        union all by name
        select face_id, location_id, zone, business_day, {{ visit_figures() }}
        from numbered
        group by face_id, location_id, zone, business_day, stay_number

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
