-- A row is a day whose unique visitors are fewer than its busiest hour's, or more
-- than all its hours' together.
with

    days as (select * from {{ ref("footfall_daily") }}),

    hours as (
        select
            location_id,
            business_day,
            max(unique_visitors) as busiest,
            sum(unique_visitors) as together,
            sum(visits_started) as visits,
            sum(appearances) as appearances
        from {{ ref("footfall_hourly") }}
        group by location_id, business_day
    )

select *
from days
inner join hours using (location_id, business_day)
where
    not days.unique_visitors between hours.busiest and hours.together
    or days.visits != hours.visits
    or days.appearances != hours.appearances
