-- A row is a visitor at a location that recognised nobody on that day. It must not be
-- published.
with

    visitor_days as (select * from {{ ref("visitor_day") }}),

    location_versions as (
        select * from {{ ref("int_location_versions") }} where mode != 'unique'
    )

select visitor_days.*
from visitor_days
inner join
    location_versions
    on visitor_days.location_id = location_versions.location_id
    and visitor_days.business_day >= location_versions.effective_from
    and visitor_days.business_day < location_versions.effective_to
