with

    source as (select * from {{ source("raw", "strangers") }}),

    renamed as (select linkage_window, pairs, matches from source)

select *
from renamed
