with trees as ({{ merge_trees(["linkage_window", "business_day"]) }})

select linkage_window, business_day, local_visitors, listed, sizes, clusters

from trees
order by linkage_window, business_day
