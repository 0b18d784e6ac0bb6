with provisional as (select * from {{ ref("stg_provisional") }})

select
    linkage_window,
    last_sealed_day,
    last_provisional_day,
    local_visitors_since_seal,
    splits_waiting

from provisional
order by linkage_window
