-- A row is an appearance that lies outside its business day on the location's own
-- clock.
with

    appearances as (select * from {{ ref("fct_appearances") }}),

    location_versions as (select * from {{ ref("int_location_versions") }}),

    days as (
        select
            location_id,
            business_day,
            min(started_at) as first_at,
            max(ended_at) as last_at
        from appearances
        group by location_id, business_day
    )

select days.*
from days
inner join
    location_versions
    on days.location_id = location_versions.location_id
    and days.business_day >= location_versions.effective_from
    and days.business_day < location_versions.effective_to
where
    timezone(location_versions.timezone, days.first_at)::date != days.business_day
    or timezone(location_versions.timezone, days.last_at)::date != days.business_day
