{#- The merge tree of the local visitors of each group of `keys`, as an estimate of people reads it. -#}
{% macro merge_trees(keys) %}

    {%- set groups = keys | join(", ") %}

    with

        local_visitor_cuts as (select * from {{ ref("local_visitor_cuts") }}),

        spans as (
            select
                {{ groups }},
                min(business_day) as first_day,
                max(business_day) as last_day
            from local_visitor_cuts
            group by {{ groups }}
        ),

        -- A local visitor has a row a camera; it is one local visitor at all of them.
        local_visitors as (
            select distinct {{ groups }}, face_id, local_visitor_id
            from local_visitor_cuts
        ),

        identities as (
            select {{ groups }}, face_id, count(*) as local_visitors
            from local_visitors
            group by {{ groups }}, face_id
        ),

        sizes as (

            select
                {{ groups }},
                sum(local_visitors)::bigint as local_visitors,
                count(*) as listed,
                [
                    {% for size in [1, 2, 3, 4] %}
                        count(*) filter (where local_visitors = {{ size }})
                        {%- if not loop.last %}, {% endif %}
                    {% endfor %}
                ] as sizes

            from identities
            group by {{ groups }}

        ),

        -- A bit a cluster, in bitmaps of 2^20: memory does not grow with the visitors.
        bitmaps as (

            {% for number in range(1, 12) %}
                select
                    {{ groups }},
                    {{ loop.index }} as place,
                    bitstring_agg(
                        cut_{{ "%02d" % number }} & 1048575, 0, 1048575
                    ) as bitmap
                from local_visitor_cuts
                where cut_{{ "%02d" % number }} is not null
                group by {{ groups }}, cut_{{ "%02d" % number }} >> 20
                {% if not loop.last %}
                    union all
                {% endif %}
            {% endfor %}

        ),

        clusters as (
            select {{ groups }}, place, sum(bit_count(bitmap))::bigint as clusters
            from bitmaps
            group by {{ groups }}, place
        ),

        lists as (
            select {{ groups }}, list(clusters order by place) as clusters
            from clusters
            group by {{ groups }}
        )

    select
        {% for key in keys %} spans.{{ key }}, {% endfor %}
        spans.first_day,
        spans.last_day,
        sizes.local_visitors,
        sizes.listed,
        sizes.sizes,
        lists.clusters

    from spans
    inner join
        sizes
        on {% for key in keys -%}
            spans.{{ key }} = sizes.{{ key }} {%- if not loop.last %} and {% endif %}
        {%- endfor %}
    left join
        lists
        on {% for key in keys -%}
            spans.{{ key }} = lists.{{ key }} {%- if not loop.last %} and {% endif %}
        {%- endfor %}

{% endmacro %}
