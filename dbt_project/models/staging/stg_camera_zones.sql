with

    source as (select * from {{ source("raw", "camera_zones") }}),

    renamed as (select camera_id, valid_from, zone, is_drawn from source)

select *
from renamed
