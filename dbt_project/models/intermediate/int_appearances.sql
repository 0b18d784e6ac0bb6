with

    sightings as (
        select *
        from {{ ref("int_sightings_identified") }}
        where face_id is not null and is_excluded is not true
    ),

    camera_versions as (select * from {{ ref("int_camera_versions") }}),

    longest_gaps as (

        select
            camera_id,
            effective_from,
            effective_to,
            interval_s,
            1000000 * greatest(
                {{ var("appearance_gap_s") }},
                {{ var("appearance_gap_intervals") }} * interval_s
            ) as camera_gap_us

        from camera_versions

    ),

    -- The business day is part of the run, so nothing crosses the local midnight.
    camera_days as (

        select
            face_id,
            camera_id,
            location_id,
            business_day,
            any_value(visitor_id) as visitor_id,
            any_value(visitor_number) as visitor_number,
            any_value(camera_number) as camera_number,
            any_value(linkage_window) as linkage_window,
            min(captured_at) as first_captured_at,
            max(captured_at) as last_captured_at,
            count(*) as sightings

        from sightings
        group by face_id, camera_id, location_id, business_day

    ),

    timed as (

        select
            camera_days.*,
            coalesce(longest_gaps.interval_s, 0) as interval_s,
            coalesce(
                longest_gaps.camera_gap_us, 1000000 * {{ var("appearance_gap_s") }}
            ) as longest_gap_us,
            epoch_us(last_captured_at) - epoch_us(first_captured_at)
            <= longest_gap_us as is_one_run

        from camera_days
        left join
            longest_gaps
            on camera_days.camera_id = longest_gaps.camera_id
            and camera_days.business_day >= longest_gaps.effective_from
            and camera_days.business_day < longest_gaps.effective_to

    ),

    -- Most visitors pass a camera within its gap: all of that is one run. Only the
    -- others are sorted, every sighting with its neighbours in time.
    neighbours as (

        select
            sightings.face_id,
            timed.visitor_id,
            timed.visitor_number,
            timed.linkage_window,
            sightings.camera_id,
            timed.camera_number,
            sightings.location_id,
            sightings.business_day,
            sightings.captured_at,
            timed.interval_s,
            timed.longest_gap_us,
            epoch_us(captured_at)
            - lag(epoch_us(captured_at)) over run as gap_before_us,
            lead(epoch_us(captured_at)) over run
            - epoch_us(captured_at) as gap_after_us,
            row_number() over run as position

        from sightings
        inner join
            timed
            on sightings.face_id = timed.face_id
            and sightings.camera_id = timed.camera_id
            and sightings.location_id = timed.location_id
            and sightings.business_day = timed.business_day
            and not timed.is_one_run
        window
            run as (
                partition by
                    sightings.face_id,
                    sightings.camera_id,
                    sightings.location_id,
                    sightings.business_day
                order by captured_at
            )

    ),

    -- Only the first and the last sighting of each run are needed from here on.
    ends as (

        select
            *,
            coalesce(gap_before_us > longest_gap_us, true) as is_first,
            coalesce(gap_after_us > longest_gap_us, true) as is_last

        from neighbours
        where is_first or is_last

    ),

    paired as (

        select
            *,
            case
                when is_last then captured_at else lead(captured_at) over run
            end as ended_at,
            case
                when is_last then position else lead(position) over run
            end as last_position

        from ends
        window
            run as (
                partition by face_id, camera_id, location_id, business_day
                order by position
            )

    ),

    runs as (

        select
            face_id,
            visitor_id,
            visitor_number,
            linkage_window,
            camera_id,
            camera_number,
            location_id,
            business_day,
            first_captured_at as started_at,
            last_captured_at as ended_at,
            sightings,
            interval_s

        from timed
        where is_one_run
        union all
        select
            face_id,
            visitor_id,
            visitor_number,
            linkage_window,
            camera_id,
            camera_number,
            location_id,
            business_day,
            captured_at as started_at,
            ended_at,
            last_position - position + 1 as sightings,
            interval_s

        from paired
        where is_first

    ),

    final as (

        select
            {{
                stable_uuid(
                    "appearance", ["face_id", "camera_id", "epoch_us(started_at)"]
                )
            }} as appearance_id, *

        from runs

    )

select *
from final
