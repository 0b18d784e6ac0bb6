with

    visitor_days as (select * from {{ ref("visitor_day_total") }}),

    bitmaps as (select * from {{ ref("day_bitmaps") }} where cut > 0),

    identities as (

        select
            linkage_window,
            face_id,
            min(business_day) as first_day,
            max(business_day) as last_day,
            sum(local_visitors)::bigint as local_visitors

        from visitor_days
        group by linkage_window, face_id

    ),

    sizes as (
        select
            linkage_window,
            min(first_day) as first_day,
            max(last_day) as last_day,
            {{ tree_sizes() }}
        from identities
        group by linkage_window
    ),

    days_joined as (
        select linkage_window, cut, block, bit_or(cluster_bitmap) as cluster_bitmap
        from bitmaps
        group by linkage_window, cut, block
    ),

    clusters as (
        select linkage_window, cut, sum(bit_count(cluster_bitmap))::bigint as clusters
        from days_joined
        group by linkage_window, cut
    ),

    lists as (
        select linkage_window, list(clusters order by cut) as clusters
        from clusters
        group by linkage_window
    )

select
    sizes.linkage_window,
    sizes.first_day,
    sizes.last_day,
    sizes.local_visitors,
    sizes.listed,
    sizes.sizes,
    lists.clusters

from sizes
left join lists on sizes.linkage_window = lists.linkage_window
order by sizes.linkage_window
