with

    quarter_hours as (select * from {{ ref("int_quarter_hours") }}),

    staffed_hours as (select * from {{ ref("int_staffed_hours") }}),

    opening_hours as (select * from {{ ref("opening_hours") }}),

    planned_days as (
        select distinct location_id, business_day from {{ ref("stg_planned_staff") }}
    ),

    footfall as (select * from {{ ref("footfall_hourly") }}),

    seen_hours as (

        select
            location_id,
            business_day,
            hour_starts_at,
            local_hour,
            15 * count(*) as covered_minutes,
            row_number() over (
                partition by location_id, business_day, local_hour
                order by hour_starts_at
            )
            > 1 as repeats_local_hour

        from quarter_hours
        group by location_id, business_day, hour_starts_at, local_hour

    ),

    hours as (

        select location_id, business_day, hour_starts_at, local_hour
        from seen_hours
        union
        select location_id, business_day, hour_starts_at, local_hour
        from staffed_hours

    )

select
    hours.location_id,
    hours.business_day,
    isodow(hours.business_day)::integer as weekday,
    hours.hour_starts_at,
    hours.local_hour,
    case
        when opening_hours.location_id is not null
        then coalesce(staffed_hours.open_minutes, 0) > 0
    end as is_open,
    case
        when opening_hours.location_id is not null
        then coalesce(staffed_hours.open_minutes, 0)
    end as open_minutes,
    coalesce(seen_hours.covered_minutes, 0)::integer as covered_minutes,
    seen_hours.repeats_local_hour is true as repeats_local_hour,
    footfall.unique_visitors,
    footfall.visits_started,
    footfall.sightings,
    case
        when planned_days.location_id is not null
        then coalesce(staffed_hours.planned_staff, 0)
    end as planned_staff,
    footfall.unique_visitors
    / nullif(staffed_hours.planned_staff, 0) as visitors_per_staff

from hours
left join
    seen_hours
    on hours.location_id = seen_hours.location_id
    and hours.hour_starts_at = seen_hours.hour_starts_at
left join
    staffed_hours
    on hours.location_id = staffed_hours.location_id
    and hours.hour_starts_at = staffed_hours.hour_starts_at
left join
    opening_hours
    on hours.location_id = opening_hours.location_id
    and hours.business_day = opening_hours.business_day
left join
    planned_days
    on hours.location_id = planned_days.location_id
    and hours.business_day = planned_days.business_day
left join
    footfall
    on hours.location_id = footfall.location_id
    and hours.hour_starts_at = footfall.hour_starts_at
order by hours.business_day, hours.location_id, hours.hour_starts_at
