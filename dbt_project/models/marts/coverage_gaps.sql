with

    coverage as (select * from {{ ref("stg_coverage") }}),

    -- A batch that came again repaired is still one.
    numbered as (

        select
            device_id,
            camera_id,
            sequence,
            max(location_id) as location_id,
            min(business_day) as business_day,
            min(opened_at) as opened_at,
            max(closed_at) as closed_at

        from coverage
        group by device_id, camera_id, sequence

    ),

    neighbours as (

        select
            *,
            lag(sequence, 1, 0) over (
                partition by device_id, camera_id order by sequence
            ) as previous_sequence,
            lag(closed_at) over (
                partition by device_id, camera_id order by sequence
            ) as previous_closed_at

        from numbered

    )

select
    location_id,
    camera_id,
    device_id,
    business_day,
    previous_sequence + 1 as first_missing,
    sequence - 1 as last_missing,
    sequence - previous_sequence - 1 as missing_batches,
    previous_closed_at as gap_starts_at,
    opened_at as gap_ends_at

from neighbours
where sequence > previous_sequence + 1
order by camera_id, device_id, first_missing
