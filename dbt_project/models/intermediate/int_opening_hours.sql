with

    hours as (select * from {{ ref("stg_opening_hours") }}),

    coverage as (select * from {{ ref("stg_coverage") }}),

    visitor_quarters as (select * from {{ ref("int_visitor_quarters") }}),

    counts as (select * from {{ ref("stg_counts") }}),

    sales as (select * from {{ ref("stg_sales") }}),

    planned_staff as (select * from {{ ref("stg_planned_staff") }}),

    -- Only locations whose hours are known, and only days of which anything is known.
    days as (

        select location_id, business_day
        from coverage
        union
        select location_id, business_day
        from visitor_quarters
        union
        select location_id, business_day
        from counts
        union
        select location_id, business_day
        from sales
        union
        select location_id, business_day
        from planned_staff
        union
        select location_id, exception_day
        from hours
        where exception_day is not null

    ),

    exceptions as (

        select
            location_id,
            exception_day as business_day,
            true as is_exception,
            opens_minute,
            closes_minute

        from hours
        where exception_day is not null

    ),

    weekly as (

        select
            days.location_id,
            days.business_day,
            false as is_exception,
            hours.opens_minute,
            hours.closes_minute

        from days
        inner join
            hours
            on days.location_id = hours.location_id
            and isodow(days.business_day) = hours.weekday
            and days.business_day >= hours.valid_from
        anti join
            exceptions
            on days.location_id = exceptions.location_id
            and days.business_day = exceptions.business_day
        -- of several versions of a weekday's hours, the newest that holds
        qualify
            hours.valid_from = max(hours.valid_from) over (
                partition by days.location_id, days.business_day
            )

    ),

    final as (
        select *
        from exceptions
        union all
        select *
        from weekly
    )

select *
from final
