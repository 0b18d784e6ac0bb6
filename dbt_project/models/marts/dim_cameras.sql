with

    cameras as (select * from {{ ref("stg_cameras") }}),

    numbers as (select * from {{ ref("int_camera_numbers") }}),

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
    ranked.camera_id,
    numbers.camera_number,
    ranked.location_id,
    ranked.name,
    ranked.interval_s,
    ranked.filter,
    ranked.staff_only,
    ranked.first_valid_from,
    ranked.valid_from,
    ranked.valid_to,
    ranked.valid_to is null as is_current

from ranked
inner join numbers on ranked.camera_id = numbers.camera_id
where ranked.newness = 1
order by ranked.camera_id
