with calibration as (select * from {{ ref("stg_calibration") }})

select digest, document

from calibration
