{#-
Seconds added up in whole milliseconds: a sum of fractions depends on the order of its rows, and two builds of the same
input are to be equal to the last bit.
-#}
{% macro total_s(seconds) -%}
    sum(round(1000 * ({{ seconds }}))::bigint)::bigint / 1000
{%- endmacro %}

{#- Totals and quartiles of the three measures of dwell, of the rows of a group. -#}
{% macro dwell_figures() -%}
    {%- for measure in ["lower", "midpoint", "upper"] %}
        {{ total_s("dwell_" ~ measure ~ "_s") }} as total_{{ measure }}_s,
    {%- endfor %}
    {%- for measure in ["lower", "midpoint", "upper"] %}
        quantile_cont(
            dwell_{{ measure }}_s, [0.25, 0.5, 0.75]
        ) as quartiles_{{ measure }}_s
        {%- if not loop.last %},{% endif %}
    {%- endfor %}
{%- endmacro %}

{#- The columns of a mart from `relation`, in which `dwell_figures` were made; null where there was no stay. -#}
{% macro dwell_columns(relation) -%}
    {%- for measure in ["lower", "midpoint", "upper"] %}
        {{ relation }}.total_{{ measure }}_s,
    {%- endfor %}
    {%- for quartile in ["lower_quartile", "median", "upper_quartile"] %}
        {%- set number = loop.index %}
        {%- set is_last = loop.last %}
        {%- for measure in ["lower", "midpoint", "upper"] %}
            {{ relation }}.quartiles_{{ measure }}_s[
                {{ number }}
            ] as {{ quartile }}_{{ measure }}_s
            {%- if not (is_last and loop.last) %},{% endif %}
        {%- endfor %}
    {%- endfor %}
{%- endmacro %}

{#- Where the classes of the distribution of dwell begin, in seconds; each ends where the next begins. -#}
{% macro dwell_class(seconds) -%}
    {%- set starts = [
        5,
        10,
        15,
        20,
        25,
        30,
        40,
        50,
        60,
        75,
        90,
        120,
        150,
        180,
        240,
        300,
        360,
        420,
        480,
        540,
        600,
        720,
        840,
        960,
        1080,
        1200,
        1500,
        1800,
        2100,
        2400,
        2700,
        3000,
        3600,
        4500,
        5400,
        7200,
        9000,
        10800,
        14400,
    ] %}
    case
        when {{ seconds }} < {{ starts[0] }}
        then 0
        {%- for start in starts[1:] %}
            when {{ seconds }} < {{ start }} then {{ starts[loop.index0] }}
        {%- endfor %}
        else {{ starts[-1] }}
    end
{%- endmacro %}
