{#- Windows of 15 seconds are counted in UTC since 1970; every quarter of an hour, so every local midnight, begins one. -#}
{% macro window_of(moment) -%} divide(epoch_us({{ moment }}), 15000000) {%- endmacro %}

{% macro window_start(number) -%}
    make_timestamptz({{ number }} * 15000000)
{%- endmacro %}
