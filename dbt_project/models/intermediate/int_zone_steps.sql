with

    zone_stays as (select * from {{ ref("int_zone_stays") }}),

    visits as (select * from {{ ref("int_visits") }}),

    stays as (

        select
            visits.visit_id,
            zone_stays.location_id,
            zone_stays.business_day,
            zone_stays.zone as place,
            zone_stays.started_at,
            zone_stays.ended_at

        from zone_stays
        inner join
            visits
            on zone_stays.face_id = visits.face_id
            and zone_stays.location_id = visits.location_id
            and zone_stays.business_day = visits.business_day
            and zone_stays.started_at >= visits.started_at
            and zone_stays.started_at <= visits.ended_at

    ),

    {{ steps_of("stays") }}

select *
from steps
