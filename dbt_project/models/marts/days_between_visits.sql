with

    visitor_days as (select * from {{ ref("int_visitor_days") }}),

    days as (

        select distinct linkage_window, face_id, location_id, business_day
        from visitor_days
        group by
            grouping sets (
                (linkage_window, face_id, location_id, business_day),
                (linkage_window, face_id, business_day)
            )

    ),

    returns as (

        select
            linkage_window,
            location_id,
            business_day - lag(business_day) over (
                partition by linkage_window, face_id, location_id order by business_day
            ) as days_between

        from days

    )

select linkage_window, location_id, days_between, count(*) as returns

from returns
where days_between is not null
group by linkage_window, location_id, days_between
order by linkage_window, location_id, days_between
