with

    source as (select * from {{ source("raw", "home") }}),

    renamed as (select environment, linkage_window as linkage_window_kind from source)

select *
from renamed
