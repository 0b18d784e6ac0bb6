with

    cameras as (select * from {{ ref("stg_cameras") }}),

    ranked as (

        select
            *,
            min(valid_from) over (partition by camera_id) as first_valid_from,
            row_number() over (
                partition by camera_id order by valid_from desc
            ) as newness

        from cameras

    )

select
    camera_id,
    location_id,
    name,
    interval_s,
    filter,
    staff_only,
    first_valid_from,
    valid_from,
    valid_to,
    valid_to is null as is_current

from ranked
where newness = 1
order by camera_id
