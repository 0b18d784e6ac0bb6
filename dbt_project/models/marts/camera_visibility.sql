with

    visibility as (select * from {{ ref("int_camera_visibility") }}),

    cameras as (select * from {{ ref("dim_cameras") }})

select
    visibility.camera_id,
    cameras.location_id,
    visibility.linkage_window,
    visibility.interval_s,
    visibility.stills,
    visibility.stills_shown,
    visibility.visibility

from visibility
inner join cameras on visibility.camera_id = cameras.camera_id
order by visibility.camera_id, visibility.linkage_window, visibility.interval_s
