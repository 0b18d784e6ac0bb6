with

    source as (select * from {{ source("raw", "locations") }}),

    renamed as (
        select
            location_id,
            name,
            timezone,
            mode,
            legal_basis,
            partition_group,
            valid_from,
            valid_to
        from source
    )

select *
from renamed
