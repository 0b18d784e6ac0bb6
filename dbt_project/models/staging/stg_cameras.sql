with

    source as (select * from {{ source("raw", "cameras") }}),

    renamed as (
        select
            camera_id,
            location_id,
            name,
            interval_s,
            filter,
            staff_only,
            plan_x_m,
            plan_y_m,
            valid_from,
            valid_to
        from source
    )

select *
from renamed
