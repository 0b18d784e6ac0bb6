{#- A UUID that is the same in every build, from expressions that identify a row and are never null. -#}
{% macro stable_uuid(kind, expressions) -%}
    md5(concat_ws('|', '{{ kind }}', {{ expressions | join(", ") }}))::uuid
{%- endmacro %}
