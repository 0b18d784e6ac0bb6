with

    source as (select * from {{ source("raw", "visitor_numbers") }}),

    renamed as (select linkage_window, face_id, ordinal, visitor_id from source)

select *
from renamed
