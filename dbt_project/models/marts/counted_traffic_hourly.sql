with

    counts as (select * from {{ ref("stg_counts") }}),

    footfall as (select * from {{ ref("footfall_hourly") }}),

    hours as (

        select
            location_id,
            business_day,
            hour_starts_at,
            local_hour,
            count_source,
            count(distinct counter) as counters,
            sum(people_in)::bigint as people_in,
            case
                when bool_and(people_out is not null) then sum(people_out)::bigint
            end as people_out

        from counts
        group by location_id, business_day, hour_starts_at, local_hour, count_source

    )

select
    hours.location_id,
    hours.business_day,
    hours.hour_starts_at,
    hours.local_hour,
    hours.count_source,
    hours.counters,
    hours.people_in,
    hours.people_out,
    footfall.visits_started,
    footfall.visits_started / nullif(hours.people_in, 0) as visits_per_person_in

from hours
left join
    footfall
    on hours.location_id = footfall.location_id
    and hours.hour_starts_at = footfall.hour_starts_at
order by hours.business_day, hours.location_id, hours.hour_starts_at, hours.count_source
