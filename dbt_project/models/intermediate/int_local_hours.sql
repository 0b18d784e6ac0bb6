with

    opening_hours as (select * from {{ ref("int_opening_hours") }}),

    planned_staff as (select * from {{ ref("stg_planned_staff") }}),

    location_versions as (select * from {{ ref("int_location_versions") }}),

    days as (

        select location_id, business_day
        from opening_hours
        where opens_minute is not null
        union
        select location_id, business_day
        from planned_staff

    ),

    bounded as (

        select
            days.location_id,
            days.business_day,
            location_versions.timezone,
            timezone(
                location_versions.timezone, days.business_day::timestamp
            ) as starts_at,
            timezone(
                location_versions.timezone, (days.business_day + 1)::timestamp
            ) as ends_at

        from days
        inner join
            location_versions
            on days.location_id = location_versions.location_id
            and days.business_day >= location_versions.effective_from
            and days.business_day < location_versions.effective_to

    ),

    -- One moment in each hour from the local midnight on: 23 to 25 of them.
    moments as (

        select
            location_id,
            business_day,
            timezone,
            unnest(
                range({{ quarter_of("starts_at") }}, {{ quarter_of("ends_at") }}, 4)
            ) as quarter

        from bounded

    ),

    -- Once a zone: asking for local time costs more than all the rest.
    clocks as (

        select
            timezone,
            quarter,
            timezone(timezone, {{ quarter_start("quarter") }}) as local_time,
            make_timestamptz(
                epoch_us({{ quarter_start("quarter") }})
                - 60000000 * extract(minute from local_time)
            ) as hour_starts_at,
            extract(hour from local_time)::integer as local_hour

        from (select distinct timezone, quarter from moments)

    ),

    final as (

        select distinct
            moments.location_id,
            moments.business_day,
            clocks.hour_starts_at,
            clocks.local_hour

        from moments
        inner join
            clocks
            on moments.timezone = clocks.timezone
            and moments.quarter = clocks.quarter

    )

select *
from final
