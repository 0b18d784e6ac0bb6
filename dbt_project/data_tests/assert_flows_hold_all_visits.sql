-- A row is a location, day and level on which ways in or out are not as many as the
-- visits, or a place is left more or less often than it is reached.
with

    flows as (select * from {{ ref("camera_flows") }}),

    visits as (

        select location_id, business_day, count(*) as visits
        from {{ ref("fct_visits") }}
        group by location_id, business_day

    ),

    ways as (

        select
            location_id,
            business_day,
            level,
            coalesce(sum(moves) filter (where from_place = '(entry)'), 0) as ways_in,
            coalesce(sum(moves) filter (where to_place = '(exit)'), 0) as ways_out

        from flows
        group by location_id, business_day, level

    ),

    places as (

        select location_id, business_day, level, to_place as place, moves as reached
        from flows
        where to_place != '(exit)'
        union all
        select location_id, business_day, level, from_place as place, - moves as reached
        from flows
        where from_place != '(entry)'

    )

select location_id, business_day, level, 'ways' as what
from ways
full join visits using (location_id, business_day)
where ways_in is distinct from visits or ways_out is distinct from visits

union all

select location_id, business_day, level, place as what
from places
group by location_id, business_day, level, place
having sum(reached) != 0
