with

    source as (select * from {{ source("raw", "location_attributes") }}),

    renamed as (
        select
            location_id,
            attribute,
            legal_basis,
            notice_since,
            valid_from,
            coalesce(valid_to, date '9999-12-31') as effective_to,
            valid_to
        from source
    )

select *
from renamed
