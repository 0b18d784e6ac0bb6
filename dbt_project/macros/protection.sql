{#- Protected counts. A count of k people or more is published as a multiple of the rounding, the nearest one. -#}
{% macro rounded(count) -%}
    divide({{ count }} + {{ var("rounding") // 2 }}, {{ var("rounding") }})
    * {{ var("rounding") }}
{%- endmacro %}

{#- The largest count that was published as `value`. -#}
{% macro highest_of(value) -%}
    {{ value }} + {{ var("rounding") - 1 - var("rounding") // 2 }}
{%- endmacro %}

{#- How many people a published hidden count may be said to be at least, from outside, without giving it away. -#}
{% macro hidden_carries() -%}
    {{ var("least_visitors") - var("least_feasible") }}
{%- endmacro %}

{#-
The published form of a unit with parts: hidden below k people; else rounded, and lowered where its hidden parts could
not carry the number: two hidden hours of at most 9 each cannot be told to make 20.
-#}
{% macro protected_unit(count, parts) -%}
    {{ count }} < {{ var("least_visitors") }} as is_fewer,
    case
        when not is_fewer
        then least({{ rounded(count) }}, {{ rounded(parts ~ ".carries") }})
    end as shown,
    least(
        case
            when is_fewer
            then {{ var("least_visitors") - 1 }}
            else {{ highest_of("shown") }}
        end,
        {{ parts }}.highest
    ) as highest,
    least(
        case when is_fewer then {{ hidden_carries() }} else 1000000000000 end,
        {{ parts }}.carries
    ) as carries
{%- endmacro %}

{#- What the parts of a unit can be at most together, and how high a lower bound of it they carry. -#}
{% macro parts_together() -%}
    sum(highest)::bigint as highest,
    (sum(highest) + min(carries - highest))::bigint as carries
{%- endmacro %}
