with

    visitor_days as (select * from {{ ref("visitor_day") }}),

    local_visitor_cuts as (select * from {{ ref("local_visitor_cuts") }}),

    appearances as (

        select
            linkage_window,
            business_day,
            face_id,
            any_value(visitor_id) as visitor_id,
            any_value(visitor_number) as visitor_number,
            sum(appearances)::bigint as appearances

        from visitor_days
        group by linkage_window, business_day, face_id

    ),

    -- A local visitor has a row a camera; it is one local visitor at all of them.
    local_visitors as (

        select
            linkage_window,
            business_day,
            face_id,
            count(distinct local_visitor_id) as local_visitors

        from local_visitor_cuts
        group by linkage_window, business_day, face_id

    )

-- sorted by day: a report reads those it is about
select
    appearances.linkage_window,
    appearances.business_day,
    appearances.face_id,
    appearances.visitor_id,
    appearances.visitor_number,
    appearances.appearances,
    local_visitors.local_visitors

from appearances
inner join
    local_visitors
    on appearances.linkage_window = local_visitors.linkage_window
    and appearances.business_day = local_visitors.business_day
    and appearances.face_id = local_visitors.face_id
order by appearances.business_day, appearances.visitor_number
