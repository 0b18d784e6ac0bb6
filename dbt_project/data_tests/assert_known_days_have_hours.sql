-- A row is a day with data of which no hour is known, or an hour of a day that is not.
with

    days as (select * from {{ ref("footfall_daily") }} where sightings is not null),

    hours as (
        select distinct location_id, business_day from {{ ref("footfall_hourly") }}
    )

select days.location_id as day_of, hours.location_id as hour_of, business_day
from days
full join hours using (location_id, business_day)
where days.location_id is null or hours.location_id is null
