with

    camera_zones as (select * from {{ ref("int_camera_zones") }}),

    cameras as (select * from {{ ref("stg_cameras") }}),

    placed as (

        select
            camera_zones.location_id,
            camera_zones.zone,
            camera_zones.camera_id,
            camera_zones.is_named,
            cameras.plan_x_m,
            cameras.plan_y_m

        from camera_zones
        inner join
            cameras
            on camera_zones.camera_id = cameras.camera_id
            and cameras.valid_to is null
        where camera_zones.effective_to = date '9999-12-31'

    )

select
    location_id,
    zone,
    count(distinct camera_id) as cameras,
    bool_or(is_named) as is_named,
    string_agg(distinct camera_id, ', ' order by camera_id) as camera_ids,
    case
        when count(plan_x_m) = count(*) and count(plan_y_m) = count(*)
        then avg(plan_x_m)
    end as plan_x_m,
    case
        when count(plan_x_m) = count(*) and count(plan_y_m) = count(*)
        then avg(plan_y_m)
    end as plan_y_m

from placed
group by location_id, zone
order by location_id, zone
