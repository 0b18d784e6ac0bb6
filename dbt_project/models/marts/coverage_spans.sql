with

    coverage as (
        select * from {{ ref("int_coverage_counted") }} where frames_captured > 0
    ),

    -- Cameras of one location overlap: what counts is how far any of them reached.
    reached as (

        select
            location_id,
            business_day,
            opened_at,
            -- A batch of one frame covers the moment of that frame.
            greatest(closed_at, opened_at + interval 1 microsecond) as closed_at,
            max(greatest(closed_at, opened_at + interval 1 microsecond)) over (
                partition by location_id, business_day
                order by opened_at, closed_at
                rows between unbounded preceding and 1 preceding
            ) as covered_before

        from coverage

    ),

    -- A break of less than a window hides no window.
    numbered as (

        select
            *,
            count(*) filter (
                where epoch_us(opened_at) - epoch_us(covered_before) >= 15000000
            ) over (
                partition by location_id, business_day
                order by opened_at, closed_at
                rows between unbounded preceding and current row
            ) as span_number

        from reached

    )

select
    location_id,
    business_day,
    min(opened_at) as covered_from,
    max(closed_at) as covered_to

from numbered
group by location_id, business_day, span_number
order by business_day, location_id, covered_from
