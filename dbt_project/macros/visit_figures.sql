{#-
What a visit or a stay is, of the rows of a group that are one: appearances or runs of one visitor in one linkage window. A
visitor is the same all day, so that only one of the rows has to be asked.
-#}
{% macro visit_figures() -%}
    any_value(visitor_id) as visitor_id,
    any_value(linkage_window) as linkage_window,
    min(started_at) as started_at,
    max(ended_at) as ended_at,
    count(*) as appearances,
    sum(sightings)::bigint as sightings,
    -- a list of a few: half the cost of a distinct count
    list_unique(list(camera_id))::bigint as cameras,
    first(wait_s order by started_at, camera_id) as first_wait_s,
    last(wait_s order by ended_at, camera_id) as last_wait_s
{%- endmacro %}
