with

    source as (select * from {{ source("raw", "camera_groups") }}),

    renamed as (select group_id, name, camera_id from source)

select *
from renamed
