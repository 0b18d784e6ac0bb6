with strangers as (select * from {{ ref("stg_strangers") }})

select linkage_window, pairs, matches
from strangers
order by linkage_window
