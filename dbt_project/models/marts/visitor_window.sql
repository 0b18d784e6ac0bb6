with

    visitor_days as (select * from {{ ref("int_visitor_days") }}),

    visitor_numbers as (select * from {{ ref("int_visitor_numbers") }}),

    windows as (

        select
            linkage_window,
            visitor_id,
            face_id,
            min(business_day) as first_day,
            max(business_day) as last_day,
            count(distinct business_day) as days_seen,
            count(distinct location_id) as locations,
            sum(visits)::bigint as visits,
            sum(appearances)::bigint as appearances,
            sum(sightings)::bigint as sightings

        from visitor_days
        group by linkage_window, visitor_id, face_id

    )

select
    windows.linkage_window,
    windows.visitor_id,
    visitor_numbers.visitor_number,
    windows.face_id,
    windows.first_day,
    windows.last_day,
    windows.days_seen,
    windows.locations,
    windows.visits,
    windows.appearances,
    windows.sightings

from windows
left join
    visitor_numbers
    on windows.face_id = visitor_numbers.face_id
    and windows.linkage_window = visitor_numbers.linkage_window
order by visitor_numbers.visitor_number
