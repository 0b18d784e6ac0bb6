with

    visitor_days as (select * from {{ ref("int_visitor_days") }}),

    -- Once per location, and once over all of them: that one is counted, not added up.
    visitors as (

        select
            linkage_window,
            face_id,
            location_id,
            sum(visits)::bigint as visits,
            count(distinct business_day) as days

        from visitor_days
        group by
            grouping sets (
                (linkage_window, face_id, location_id), (linkage_window, face_id)
            )

    ),

    counted as (

        select linkage_window, location_id, 'visits' as measure, visits as times
        from visitors
        union all
        select linkage_window, location_id, 'days' as measure, days as times
        from visitors

    )

select linkage_window, location_id, measure, times, count(*) as visitors

from counted
group by linkage_window, location_id, measure, times
order by linkage_window, location_id, measure, times
