with

    source as (select * from {{ source("raw", "sales") }}),

    -- A later file replaces what an earlier one said of the same moment.
    renamed as (

        select
            -- ids
            location_id,
            nullif(category, '') as category,

            -- times
            sold_at,
            business_day,
            hour_starts_at,
            local_hour,

            -- amounts
            transactions,
            items,
            revenue

        from source
        qualify
            import_sequence
            = max(import_sequence) over (partition by location_id, category, sold_at)

    )

select *
from renamed
