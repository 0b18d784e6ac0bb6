with

    hours as (select * from {{ ref("counted_traffic_hourly") }}),

    footfall as (select * from {{ ref("footfall_daily") }}),

    days as (

        select
            location_id,
            business_day,
            count_source,
            count(*) as hours,
            max(counters) as counters,
            sum(people_in)::bigint as people_in,
            case
                when bool_and(people_out is not null) then sum(people_out)::bigint
            end as people_out,
            count(visits_started) as compared_hours,
            sum(people_in) filter (where visits_started is not null)::bigint
            as compared_people_in,
            sum(visits_started)::bigint as compared_visits

        from hours
        group by location_id, business_day, count_source

    )

select
    days.location_id,
    days.business_day,
    days.count_source,
    days.hours,
    days.counters,
    days.people_in,
    days.people_out,
    footfall.visits,
    days.compared_hours,
    days.compared_people_in,
    days.compared_visits,
    days.compared_visits / nullif(days.compared_people_in, 0) as visits_per_person_in

from days
left join
    footfall
    on days.location_id = footfall.location_id
    and days.business_day = footfall.business_day
order by days.business_day, days.location_id, days.count_source
