with

    appearances as (select * from {{ ref("int_appearances") }}),

    visits as (select * from {{ ref("int_visits") }}),

    stays as ({{ stays_in_visits("appearances", "camera_id") }}),

    {{ steps_of("stays") }}

select *
from steps
