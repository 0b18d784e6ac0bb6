with

    sightings as (
        select *
        from {{ ref("int_sightings_identified") }}
        where face_id is not null and is_excluded is not true
    ),

    camera_versions as (select * from {{ ref("int_camera_versions") }}),

    -- One sort of the many sightings: every one with its neighbours in time. The
    -- business day is part of the run, so nothing crosses the local midnight.
    neighbours as (

        select
            face_id,
            visitor_id,
            linkage_window,
            camera_id,
            location_id,
            business_day,
            captured_at,
            epoch_us(captured_at)
            - lag(epoch_us(captured_at)) over run as gap_before_us,
            lead(epoch_us(captured_at)) over run
            - epoch_us(captured_at) as gap_after_us,
            row_number() over run as position

        from sightings
        window
            run as (
                partition by face_id, camera_id, location_id, business_day
                order by captured_at
            )

    ),

    timed as (

        select
            neighbours.*,
            coalesce(camera_versions.interval_s, 0) as interval_s,
            1000000 * greatest(
                {{ var("appearance_gap_s") }},
                {{ var("appearance_gap_intervals") }}
                * coalesce(camera_versions.interval_s, 0)
            ) as longest_gap_us

        from neighbours
        left join
            camera_versions
            on neighbours.camera_id = camera_versions.camera_id
            and neighbours.business_day >= camera_versions.effective_from
            and neighbours.business_day < camera_versions.effective_to

    ),

    -- Only the first and the last sighting of each run are needed from here on.
    ends as (

        select
            *,
            coalesce(gap_before_us > longest_gap_us, true) as is_first,
            coalesce(gap_after_us > longest_gap_us, true) as is_last

        from timed
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

    final as (

        select
            {{
                stable_uuid(
                    "appearance", ["face_id", "camera_id", "epoch_us(captured_at)"]
                )
            }} as appearance_id,
            face_id,
            visitor_id,
            linkage_window,
            camera_id,
            location_id,
            business_day,
            captured_at as started_at,
            ended_at,
            last_position - position + 1 as sightings,
            interval_s

        from paired
        where is_first

    )

select *
from final
