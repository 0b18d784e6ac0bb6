with

    source as (select * from {{ source("raw", "calibration") }}),

    renamed as (select digest, document from source)

select *
from renamed
