with

    source as (select * from {{ source("raw", "provisional") }}),

    renamed as (
        select
            linkage_window,
            sealed_day as last_sealed_day,
            day as last_provisional_day,
            local_visitors as local_visitors_since_seal,
            splits_waiting

        from source
    )

select *
from renamed
