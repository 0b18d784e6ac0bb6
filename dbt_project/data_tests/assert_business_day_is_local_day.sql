-- A row is an appearance that lies outside its business day on the location's own
-- clock.
with

    appearances as (select * from {{ ref("fct_appearances") }}),

    location_versions as (select * from {{ ref("int_location_versions") }})

select appearances.*
from appearances
inner join
    location_versions
    on appearances.location_id = location_versions.location_id
    and appearances.business_day >= location_versions.effective_from
    and appearances.business_day < location_versions.effective_to
where
    timezone(location_versions.timezone, appearances.started_at)::date
    != appearances.business_day
    or timezone(location_versions.timezone, appearances.ended_at)::date
    != appearances.business_day
