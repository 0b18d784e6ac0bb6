with

    footfall as (select * from {{ ref("footfall_daily") }} where visits is not null),

    visits as (select * from {{ ref("int_visits") }}),

    days as (

        select
            'month' as period,
            location_id,
            business_day,
            linkage_window,
            date_trunc('month', business_day)::date as first_day,
            last_day(business_day) as last_day,
            visits

        from footfall
        union all
        -- A week that two windows share is two periods: their visitors cannot be
        -- joined.
        select
            'week',
            location_id,
            business_day,
            linkage_window,
            greatest(
                date_trunc('week', business_day), date_trunc('month', business_day)
            )::date,
            least(date_trunc('week', business_day)::date + 6, last_day(business_day)),
            visits

        from footfall

    ),

    known as (

        select
            location_id,
            period,
            first_day,
            last_day,
            linkage_window,
            count(*) as known_days,
            sum(visits)::bigint as visits

        from days
        group by location_id, period, first_day, last_day, linkage_window

    ),

    visitor_weeks as (

        select
            location_id,
            linkage_window,
            greatest(
                date_trunc('week', business_day), date_trunc('month', business_day)
            )::date as first_day,
            face_id

        from visits
        group by location_id, linkage_window, first_day, face_id

    ),

    counted as (

        select 'week' as period, location_id, first_day, count(*) as unique_visitors
        from visitor_weeks
        group by location_id, first_day
        union all
        select
            'month',
            location_id,
            (linkage_window || '-01')::date,
            count(distinct face_id)
        from visitor_weeks
        group by location_id, linkage_window

    )

select
    known.location_id,
    known.period,
    known.first_day,
    known.last_day,
    known.linkage_window,
    known.known_days,
    coalesce(counted.unique_visitors, 0) as unique_visitors,
    known.visits

from known
left join
    counted
    on known.location_id = counted.location_id
    and known.period = counted.period
    and known.first_day = counted.first_day
order by known.first_day, known.period, known.location_id
