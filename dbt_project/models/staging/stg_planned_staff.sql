with

    source as (select * from {{ source("raw", "planned_staff") }}),

    -- A later file replaces the whole plan of every location and day it names.
    renamed as (

        select location_id, business_day, starts_minute, ends_minute, staff

        from source
        qualify
            import_sequence
            = max(import_sequence) over (partition by location_id, business_day)

    )

select *
from renamed
