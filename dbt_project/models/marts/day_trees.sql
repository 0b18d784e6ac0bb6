with

    visitor_days as (select * from {{ ref("visitor_day_total") }}),

    bitmaps as (select * from {{ ref("day_bitmaps") }} where cut > 0),

    sizes as (
        select linkage_window, business_day, {{ tree_sizes() }}
        from visitor_days
        group by linkage_window, business_day
    ),

    clusters as (
        select
            linkage_window,
            business_day,
            cut,
            sum(bit_count(cluster_bitmap))::bigint as clusters
        from bitmaps
        group by linkage_window, business_day, cut
    ),

    lists as (
        select linkage_window, business_day, list(clusters order by cut) as clusters
        from clusters
        group by linkage_window, business_day
    )

select
    sizes.linkage_window,
    sizes.business_day,
    sizes.local_visitors,
    sizes.listed,
    sizes.sizes,
    lists.clusters

from sizes
left join
    lists
    on sizes.linkage_window = lists.linkage_window
    and sizes.business_day = lists.business_day
order by sizes.linkage_window, sizes.business_day
