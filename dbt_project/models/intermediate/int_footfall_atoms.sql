with

    visitor_quarters as (
        select * from {{ ref("int_visitor_quarters") }} where face_id is not null
    ),

    quarter_hours as (select * from {{ ref("int_quarter_hours") }} where is_unique),

    covered_quarters as (select * from {{ ref("int_covered_quarters") }}),

    coverage as (select * from {{ ref("int_coverage_counted") }}),

    -- A count that still grows would tell from one publication to the next who came in
    -- between: a day counts from the moment on that another one has begun.
    newest as (
        select max(business_day) as business_day from coverage where frames_captured > 0
    ),

    -- Hours with coverage, and no others: an hour that is known only because somebody
    -- was seen in it would say so by being there.
    hours as (

        select distinct
            quarter_hours.location_id,
            quarter_hours.business_day,
            quarter_hours.hour_starts_at,
            quarter_hours.local_hour,
            {{ linkage_window("quarter_hours.business_day") }} as linkage_window,
            date_trunc('week', quarter_hours.business_day)::date as week_starts_on

        from quarter_hours
        inner join covered_quarters using (location_id, business_day, quarter)
        cross join newest
        where quarter_hours.business_day < newest.business_day

    ),

    seen as (

        select distinct
            hours.location_id,
            hours.business_day,
            hours.hour_starts_at,
            hours.linkage_window,
            hours.week_starts_on,
            visitor_quarters.face_id

        from visitor_quarters
        inner join quarter_hours using (location_id, business_day, quarter)
        inner join
            hours
            on quarter_hours.location_id = hours.location_id
            and quarter_hours.business_day = hours.business_day
            and quarter_hours.hour_starts_at = hours.hour_starts_at

    ),

    seen_by_day as (
        select distinct
            location_id, business_day, linkage_window, week_starts_on, face_id
        from seen
    ),

    seen_by_week as (
        select distinct location_id, linkage_window, week_starts_on, face_id
        from seen_by_day
    ),

    -- The units whose people are counted, by name of the grain.
    units as (

        select
            'hour' as grain,
            location_id,
            linkage_window,
            business_day as first_day,
            business_day as last_day,
            week_starts_on,
            hour_starts_at,
            local_hour

        from hours
        union all
        select distinct
            'day',
            location_id,
            linkage_window,
            business_day,
            business_day,
            week_starts_on,
            null::timestamptz,
            null::integer

        from hours
        union all
        -- A week that two windows share is two units: their visitors cannot be joined.
        select distinct
            'week',
            location_id,
            linkage_window,
            greatest(week_starts_on, date_trunc('month', business_day)::date),
            least(week_starts_on + 6, last_day(business_day)),
            week_starts_on,
            null::timestamptz,
            null::integer

        from hours
        union all
        select distinct
            'month',
            location_id,
            linkage_window,
            date_trunc('month', business_day)::date,
            last_day(business_day),
            null::date,
            null::timestamptz,
            null::integer

        from hours

    ),

    counted as (

        select
            'hour' as grain,
            location_id,
            business_day as first_day,
            hour_starts_at,
            count(*) as unique_visitors
        from seen
        group by location_id, business_day, hour_starts_at
        union all
        select 'day', location_id, business_day, null::timestamptz, count(*)
        from seen_by_day
        group by location_id, business_day
        union all
        select
            'week',
            location_id,
            greatest(week_starts_on, (linkage_window || '-01')::date),
            null::timestamptz,
            count(*)
        from seen_by_week
        group by location_id, linkage_window, week_starts_on
        union all
        select
            'month',
            location_id,
            (linkage_window || '-01')::date,
            null::timestamptz,
            count(distinct face_id)
        from seen_by_week
        group by location_id, linkage_window

    ),

    final as (

        select units.*, coalesce(counted.unique_visitors, 0) as unique_visitors

        from units
        left join
            counted
            on units.grain = counted.grain
            and units.location_id = counted.location_id
            and units.first_day = counted.first_day
            and units.hour_starts_at is not distinct from counted.hour_starts_at
        cross join newest
        where units.last_day < newest.business_day

    )

select *
from final
