-- A row is a location or day whose loyalty figures are of other visitors than its
-- counts.
with

    loyalty as (
        select location_id, business_day, unique_visitors
        from {{ ref("loyalty_daily") }}
        where location_id is not null
    ),

    days as (
        select location_id, business_day, unique_visitors
        from {{ ref("footfall_daily") }}
        where unique_visitors is not null
    ),

    visitors as (
        select linkage_window, count(*) as visitors, sum(visits) as visits
        from {{ ref("visitor_window") }}
        group by linkage_window
    ),

    frequencies as (

        select
            linkage_window,
            measure,
            sum(visitors) as visitors,
            sum(times * visitors) as times

        from {{ ref("visit_frequency") }}
        where location_id is null
        group by linkage_window, measure

    ),

    own as (
        select linkage_window, location_id, sum(visitors) as visitors
        from {{ ref("visit_frequency") }}
        where location_id is not null and measure = 'visits'
        group by linkage_window, location_id
    ),

    diagonal as (
        select linkage_window, location_id, visitors
        from {{ ref("stores_shared") }}
        where location_id = other_location_id
    )

select location_id as what, 'day' as mistake
from loyalty
full join days using (location_id, business_day)
where loyalty.unique_visitors is distinct from days.unique_visitors

union all

select linkage_window as what, 'frequency' as mistake
from visitors
full join frequencies using (linkage_window)
where
    visitors.visitors is distinct from frequencies.visitors
    or (measure = 'visits' and times is distinct from visits)

union all

select location_id as what, 'shared' as mistake
from own
full join diagonal using (linkage_window, location_id)
where own.visitors is distinct from diagonal.visitors
