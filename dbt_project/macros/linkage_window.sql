{#- The name of the linkage window around a business day: the calendar month, as `2024-01`. -#}
{% macro linkage_window(day) %} strftime({{ day }}, '%Y-%m') {% endmacro %}
