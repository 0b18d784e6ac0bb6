-- A row means that sightings of visitors are in no stay or in two, or that stays are
-- lost on the way to a mart.
with

    figures as (

        select
            (
                select coalesce(sum(sightings), 0) from {{ ref("fct_visits") }}
            ) as in_visits,
            (
                select coalesce(sum(sightings), 0) from {{ ref("int_zone_stays") }}
            ) as in_stays,
            (select count(*) from {{ ref("int_zone_stays") }}) as stays,
            (select coalesce(sum(stays), 0) from {{ ref("dwell_by_zone") }}) as in_days,
            (
                select coalesce(sum(stays), 0) from {{ ref("dwell_by_zone_hourly") }}
            ) as in_hours,
            (
                select coalesce(sum(stays), 0)
                from {{ ref("dwell_distribution") }}
                where zone is not null
            ) as in_classes

    )

select *
from figures
where
    in_visits != in_stays
    or stays != in_days
    or stays != in_hours
    or stays != in_classes
