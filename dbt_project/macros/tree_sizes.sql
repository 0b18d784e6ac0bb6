{#- How large the identities of a group are, from a row each with its `local_visitors`; as an estimate of people reads it. -#}
{% macro tree_sizes() -%}
    sum(local_visitors)::bigint as local_visitors,
    count(*) as listed,
    [
        {% for size in [1, 2, 3, 4] %}
            count(*) filter (where local_visitors = {{ size }})
            {%- if not loop.last %}, {% endif %}
        {% endfor %}
    ] as sizes
{%- endmacro %}
