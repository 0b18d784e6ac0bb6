{{ config(materialized="view") }}

with steps as (select * from {{ ref("int_camera_steps") }}), {{ moves_of("steps") }}

select *
from moves
