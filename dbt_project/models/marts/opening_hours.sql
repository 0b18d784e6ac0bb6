with

    hours as (select * from {{ ref("int_opening_hours") }}),

    location_versions as (select * from {{ ref("int_location_versions") }}),

    -- By the clock of the day: an open night in which clocks change is an hour shorter
    -- or longer than its minutes say.
    stretches as (

        select
            hours.location_id,
            hours.business_day,
            hours.is_exception,
            hours.opens_minute,
            timezone(
                location_versions.timezone,
                hours.business_day::timestamp + to_minutes(hours.opens_minute)
            ) as opens_at,
            timezone(
                location_versions.timezone,
                hours.business_day::timestamp + to_minutes(hours.closes_minute)
            ) as closes_at

        from hours
        inner join
            location_versions
            on hours.location_id = location_versions.location_id
            and hours.business_day >= location_versions.effective_from
            and hours.business_day < location_versions.effective_to

    )

select
    location_id,
    business_day,
    isodow(business_day)::integer as weekday,
    bool_or(is_exception) as is_exception,
    bool_or(opens_minute is not null) as is_open,
    min(opens_at) as opens_at,
    max(closes_at) as closes_at,
    coalesce(
        sum(divide(epoch_us(closes_at) - epoch_us(opens_at), 60000000)), 0
    )::integer as open_minutes

from stretches
group by location_id, business_day
order by business_day, location_id
