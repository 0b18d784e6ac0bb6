with camera_groups as (select * from {{ ref("stg_camera_groups") }})

select group_id, name, camera_id

from camera_groups
order by group_id, camera_id
