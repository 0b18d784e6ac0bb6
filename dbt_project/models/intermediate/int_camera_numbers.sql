with

    cameras as (select * from {{ ref("stg_cameras") }}),

    newest as (
        select camera_id, arg_max(location_id, valid_from) as location_id
        from cameras
        group by camera_id
    ),

    -- Cameras of one location in a row: who asks for a location asks for a range.
    final as (
        select
            camera_id,
            row_number() over (order by location_id, camera_id)::integer
            as camera_number
        from newest
    )

select *
from final
