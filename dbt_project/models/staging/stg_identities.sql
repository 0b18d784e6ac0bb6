with

    source as (select * from {{ source("raw", "identities") }}),

    renamed as (
        select local_visitor_id, face_id, linkage_window, excluded_reason from source
    )

select *
from renamed
