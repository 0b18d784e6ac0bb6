{#- Rows returned: those for which `expression` is false or unknown. -#}
{% test holds(model, expression) %}
    select * from {{ model }} where ({{ expression }}) is distinct from true
{% endtest %}
