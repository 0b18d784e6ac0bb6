{{ config(materialized="view") }}

with steps as (select * from {{ ref("int_zone_steps") }}), {{ moves_of("steps") }}

select *
from moves
