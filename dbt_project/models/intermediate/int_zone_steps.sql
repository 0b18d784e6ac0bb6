with

    zone_stays as (select * from {{ ref("int_zone_stays") }}),

    visits as (select * from {{ ref("int_visits") }}),

    stays as ({{ stays_in_visits("zone_stays", "zone") }}),

    {{ steps_of("stays") }}

select *
from steps
