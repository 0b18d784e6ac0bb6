with

    source as (select * from {{ source("raw", "coverage") }}),

    renamed as (

        select
            -- ids
            batch_id,
            camera_id,
            location_id,
            device_id,
            sequence,

            -- times
            day as business_day,
            opened_at,
            closed_at,
            interval_s,

            -- frames
            frames_expected,
            frames_captured,
            frames_kept,
            images_quarantined

        from source

    )

select *
from renamed
