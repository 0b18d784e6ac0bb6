{#-
Blocks of 512 neighbouring cameras. Sorted by block and then by day, a mart answers both what some locations saw in a
month and what all of them saw on a day by reading a part of its rows.
-#}
{% macro camera_block(number) -%} divide(coalesce({{ number }}, 0), 512) {%- endmacro %}
