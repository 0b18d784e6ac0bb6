with

    visitor_days as (select * from {{ ref("visitor_day_total") }}),

    local_visitor_cuts as (select * from {{ ref("local_visitor_cuts") }}),

    -- Bitmaps of 2^16: memory does not grow with the visitors.
    bitmaps as (

        select
            linkage_window,
            business_day,
            0 as cut,
            visitor_number >> 16 as block,
            bitstring_agg(visitor_number & 65535, 0, 65535) as cluster_bitmap
        from visitor_days
        group by linkage_window, business_day, visitor_number >> 16

        {% for number in range(1, 12) %}
                {%- set cut = "cut_%02d" % number %}
            union all

            select
                linkage_window,
                business_day,
                {{ number }} as cut,
                ({{ cut }} >> 16)::integer as block,
                bitstring_agg({{ cut }} & 65535, 0, 65535) as cluster_bitmap
            from local_visitor_cuts
            where {{ cut }} is not null
            group by linkage_window, business_day, {{ cut }} >> 16
        {% endfor %}

    )

-- sorted by day: a report reads those it is about
select linkage_window, business_day, cut, block, cluster_bitmap

from bitmaps
order by business_day, cut, block
