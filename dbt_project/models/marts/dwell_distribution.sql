with

    zone_stays as (select * from {{ ref("int_zone_stays") }}),

    visits as (select * from {{ ref("int_visits") }}),

    stays as (

        select
            location_id,
            zone,
            business_day,
            dwell_lower_s,
            dwell_midpoint_s,
            dwell_upper_s
        from zone_stays

        union all

        select
            location_id,
            null as zone,
            business_day,
            dwell_lower_s,
            dwell_midpoint_s,
            dwell_upper_s
        from visits

    ),

    classed as (select *, {{ dwell_class("dwell_lower_s") }} as from_s from stays)

select
    location_id,
    zone,
    business_day,
    from_s::integer as from_s,
    count(*) as stays,
    {{ total_s("dwell_lower_s") }} as total_lower_s,
    {{ total_s("dwell_midpoint_s") }} as total_midpoint_s,
    {{ total_s("dwell_upper_s") }} as total_upper_s

from classed
group by location_id, zone, business_day, from_s
order by business_day, location_id, zone, from_s
