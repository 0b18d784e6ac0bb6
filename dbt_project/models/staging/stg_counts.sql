with

    source as (select * from {{ source("raw", "counts") }}),

    -- A later file replaces what an earlier one said of the same moment.
    renamed as (

        select
            -- ids
            location_id,
            source as count_source,
            counter,

            -- times
            counted_at,
            business_day,
            hour_starts_at,
            local_hour,

            -- counts
            people_in,
            people_out

        from source
        qualify
            import_sequence = max(import_sequence) over (
                partition by location_id, source.source, counter, counted_at
            )

    )

select *
from renamed
