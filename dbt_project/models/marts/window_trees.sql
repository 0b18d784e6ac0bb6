with trees as ({{ merge_trees(["linkage_window"]) }})

select linkage_window, first_day, last_day, local_visitors, listed, sizes, clusters

from trees
order by linkage_window
