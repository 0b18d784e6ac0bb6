{#-
One step towards the chance p that a still shows the face, from an estimate of it and the columns of int_camera_visibility.
An appearance was cut off by a long wait as often as a wait is longer than G: q^G to 1 - q^G of the waits that were seen.
-#}
{% macro next_chance(chance) -%}
    {%- set cut = "least(pow(1 - " ~ chance ~ ", longest_wait), 0.999)" -%}
    {%- set left_alone -%}
        appearances_with_wait
        * greatest(1 - waits * {{ cut }} / (1 - {{ cut }}) / appearances, 0)
    {%- endset -%}
    least(
        1 / (
            (intervals - {{ left_alone }}) / greatest(waits - {{ left_alone }}, 1)
            + longest_wait * {{ cut }} / (1 - {{ cut }})
        ),
        1
    )
{%- endmacro %}
