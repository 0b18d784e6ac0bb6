-- A row is a location and day whose journeys are not as many as its visits, or whose
-- hours do not hold its moves between zones.
with

    visits as (

        select location_id, business_day, count(*) as visits
        from {{ ref("fct_visits") }}
        group by location_id, business_day

    ),

    journeys as (

        select location_id, business_day, sum(visits) as visits
        from {{ ref("journeys") }}
        group by location_id, business_day

    ),

    days as (

        select location_id, business_day, sum(moves) as moves
        from {{ ref("camera_flows") }}
        where level = 'zone'
        group by location_id, business_day

    ),

    hours as (

        select location_id, business_day, sum(moves) as moves
        from {{ ref("camera_flows_hourly") }}
        group by location_id, business_day

    )

select
    location_id,
    business_day,
    visits.visits,
    journeys.visits as in_journeys,
    days.moves,
    hours.moves as in_hours

from visits
full join journeys using (location_id, business_day)
full join days using (location_id, business_day)
full join hours using (location_id, business_day)
where
    visits.visits is distinct from journeys.visits
    or days.moves is distinct from hours.moves
