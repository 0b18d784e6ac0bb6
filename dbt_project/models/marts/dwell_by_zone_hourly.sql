with

    zone_stays as (select * from {{ ref("int_zone_stays") }}),

    quarter_hours as (select * from {{ ref("int_quarter_hours") }}),

    stayed as (

        select
            quarter_hours.location_id,
            zone_stays.zone,
            quarter_hours.business_day,
            quarter_hours.hour_starts_at,
            quarter_hours.local_hour,
            count(distinct zone_stays.face_id) as visitors,
            count(*) as stays,
            {{ total_s("zone_stays.dwell_lower_s") }} as total_lower_s,
            {{ total_s("zone_stays.dwell_midpoint_s") }} as total_midpoint_s,
            {{ total_s("zone_stays.dwell_upper_s") }} as total_upper_s,
            median(zone_stays.dwell_midpoint_s) as median_midpoint_s

        from zone_stays
        inner join
            quarter_hours
            on zone_stays.location_id = quarter_hours.location_id
            and zone_stays.business_day = quarter_hours.business_day
            and {{ quarter_of("zone_stays.started_at") }} = quarter_hours.quarter
        group by
            quarter_hours.location_id,
            zone_stays.zone,
            quarter_hours.business_day,
            quarter_hours.hour_starts_at,
            quarter_hours.local_hour

    )

select *
from stayed
order by business_day, location_id, zone, hour_starts_at
