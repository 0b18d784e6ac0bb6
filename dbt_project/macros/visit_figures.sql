{#-
What a visit or a stay is, of the rows of a group that are one: appearances or runs of one visitor in one linkage window. A
visitor is the same all day, so that only one of the rows has to be asked. Of rows that start or end in one moment the
camera with the lowest or the highest number tells the wait: moment and number in one integer cost a quarter of an
ordered aggregate.
-#}
{% macro visit_figures() -%}
    any_value(visitor_id) as visitor_id,
    any_value(visitor_number) as visitor_number,
    any_value(linkage_window) as linkage_window,
    min(started_at) as started_at,
    max(ended_at) as ended_at,
    count(*) as appearances,
    sum(sightings)::bigint as sightings,
    -- a list of a few: half the cost of a distinct count
    list_unique(list(camera_id))::bigint as cameras,
    arg_min(wait_s, {{ moment_and_camera("started_at") }}) as first_wait_s,
    arg_max(wait_s, {{ moment_and_camera("ended_at") }}) as last_wait_s
{%- endmacro %}

{#- A moment, and of equal moments the camera's number, as one integer in their order. -#}
{% macro moment_and_camera(moment) -%}
    (epoch_us({{ moment }})::hugeint << 32) + coalesce(camera_number, 0)
{%- endmacro %}
