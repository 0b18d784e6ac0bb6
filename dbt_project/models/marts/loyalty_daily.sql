with

    visitor_days as (select * from {{ ref("int_visitor_days") }}),

    -- Only days that are known, at locations that recognise visitors.
    known as (
        select location_id, business_day, linkage_window
        from {{ ref("footfall_daily") }}
        where unique_visitors is not null
    ),

    days as (

        select linkage_window, location_id, business_day
        from known
        group by
            grouping sets (
                (linkage_window, location_id, business_day),
                (linkage_window, business_day)
            )

    ),

    -- Early in a window, and early after a location began, everybody looks new.
    shown as (

        select
            *,
            business_day
            - min(business_day) over (partition by linkage_window, location_id)
            >= {{ var("loyalty_hidden_days") }} as is_shown

        from days

    ),

    first_days as (

        select
            linkage_window,
            face_id,
            location_id,
            business_day,
            min(business_day) over (partition by linkage_window, face_id) as first_day,
            min(business_day) over (
                partition by linkage_window, face_id, location_id
            ) as first_day_here

        from visitor_days

    ),

    counted as (

        select
            linkage_window,
            location_id,
            business_day,
            count(distinct face_id) as unique_visitors,
            count(distinct face_id) filter (
                where business_day > first_day
            ) as returning_visitors,
            count(distinct face_id) filter (
                where business_day > first_day_here
            ) as returning_to_location

        from first_days
        group by
            grouping sets (
                (linkage_window, location_id, business_day),
                (linkage_window, business_day)
            )

    )

select
    shown.linkage_window,
    shown.location_id,
    shown.business_day,
    coalesce(counted.unique_visitors, 0) as unique_visitors,
    case
        when shown.is_shown
        then
            coalesce(counted.unique_visitors, 0)
            - coalesce(counted.returning_visitors, 0)
    end as new_visitors,
    case
        when shown.is_shown then coalesce(counted.returning_visitors, 0)
    end as returning_visitors,
    case
        when shown.is_shown and shown.location_id is not null
        then coalesce(counted.returning_to_location, 0)
    end as returning_to_location

from shown
left join
    counted
    on shown.linkage_window = counted.linkage_window
    and shown.location_id is not distinct from counted.location_id
    and shown.business_day = counted.business_day
order by shown.linkage_window, shown.location_id, shown.business_day
