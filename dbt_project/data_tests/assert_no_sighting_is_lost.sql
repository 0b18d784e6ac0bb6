-- A row means that sightings went missing or were doubled between the sources and a
-- mart.
with

    figures as (

        select
            (select count(*) from {{ ref("stg_sightings") }}) as loaded,
            (select count(*) from {{ ref("fct_sightings") }}) as in_facts,
            (
                select count(*)
                from {{ ref("fct_sightings") }}
                where face_id is not null and not is_excluded
            ) as identified,
            (
                select count(*) from {{ ref("fct_sightings") }} where not is_excluded
            ) as counted,
            (
                select coalesce(sum(sightings), 0) from {{ ref("fct_appearances") }}
            ) as in_appearances,
            (
                select coalesce(sum(sightings), 0) from {{ ref("fct_visits") }}
            ) as in_visits,
            (
                select coalesce(sum(sightings), 0) from {{ ref("visitor_day") }}
            ) as in_visitor_days,
            (
                select coalesce(sum(sightings), 0) from {{ ref("footfall_daily") }}
            ) as in_days,
            (
                select coalesce(sum(sightings), 0) from {{ ref("footfall_hourly") }}
            ) as in_hours

    )

select *
from figures
where
    loaded != in_facts
    or identified != in_appearances
    or identified != in_visits
    or identified != in_visitor_days
    or counted != in_days
    or counted != in_hours
