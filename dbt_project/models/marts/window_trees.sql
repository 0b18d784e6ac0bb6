with

    local_visitor_cuts as (select * from {{ ref("local_visitor_cuts") }}),

    windows as (
        select
            linkage_window,
            min(business_day) as first_day,
            max(business_day) as last_day
        from local_visitor_cuts
        group by linkage_window
    ),

    -- A local visitor has a row a camera; it is one local visitor at all of them.
    local_visitors as (
        select distinct linkage_window, face_id, local_visitor_id
        from local_visitor_cuts
    ),

    identities as (
        select linkage_window, face_id, count(*) as local_visitors
        from local_visitors
        group by linkage_window, face_id
    ),

    sizes as (

        select
            linkage_window,
            sum(local_visitors)::bigint as local_visitors,
            count(*) as listed,
            [
                {% for size in [1, 2, 3, 4] %}
                    count(*) filter (where local_visitors = {{ size }})
                    {%- if not loop.last %}, {% endif %}
                {% endfor %}
            ] as sizes

        from identities
        group by linkage_window

    ),

    -- A bit a cluster, in bitmaps of 2^20: memory does not grow with the visitors.
    bitmaps as (

        {% for number in range(1, 12) %}
            select
                linkage_window,
                {{ loop.index }} as place,
                bitstring_agg(cut_{{ "%02d" % number }} & 1048575, 0, 1048575) as bitmap
            from local_visitor_cuts
            where cut_{{ "%02d" % number }} is not null
            group by linkage_window, cut_{{ "%02d" % number }} >> 20
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}

    ),

    clusters as (
        select linkage_window, place, sum(bit_count(bitmap))::bigint as clusters
        from bitmaps
        group by linkage_window, place
    ),

    lists as (
        select linkage_window, list(clusters order by place) as clusters
        from clusters
        group by linkage_window
    )

select
    windows.linkage_window,
    windows.first_day,
    windows.last_day,
    sizes.local_visitors,
    sizes.listed,
    sizes.sizes,
    lists.clusters

from windows
inner join sizes on windows.linkage_window = sizes.linkage_window
left join lists on windows.linkage_window = lists.linkage_window
order by windows.linkage_window
