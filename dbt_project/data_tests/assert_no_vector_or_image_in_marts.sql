-- A row is a column of a mart that holds an embedding or image bytes: neither may
-- reach a reader.
{%- set marts = [
    "fct_sightings",
    "fct_appearances",
    "fct_visits",
    "local_visitor_cuts",
    "count_calibration",
    "visitor_day",
    "unique_visitor_report",
    "footfall_hourly",
    "footfall_daily",
    "dim_locations",
    "dim_cameras",
    "dim_camera_groups",
    "publication_header",
] %}
{%- set names = [] %}
{%- for mart in marts %} {% do names.append(ref(mart).identifier) %} {% endfor %}

select table_name, column_name, data_type
from information_schema.columns
where
    table_schema = '{{ target.schema }}'
    and table_name in ('{{ names | join("', '") }}')
    and (
        column_name in ('vector', 'embedding', 'landmarks', 'crop', 'image')
        or data_type like 'FLOAT[%'
        or data_type like 'DOUBLE[%'
        or data_type = 'BLOB'
    )
