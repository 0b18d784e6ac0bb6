with

    quarter_hours as (select * from {{ ref("int_quarter_hours") }}),

    visitor_quarters as (select * from {{ ref("int_visitor_quarters") }}),

    appearances as (select * from {{ ref("int_appearances") }}),

    visits as (select * from {{ ref("int_visits") }}),

    hours as (
        select distinct location_id, business_day, hour_starts_at, local_hour, is_unique
        from quarter_hours
    ),

    seen as (

        select
            quarter_hours.location_id,
            quarter_hours.hour_starts_at,
            count(distinct visitor_quarters.face_id) as unique_visitors,
            sum(visitor_quarters.sightings)::bigint as sightings,
            coalesce(
                sum(visitor_quarters.sightings) filter (
                    where visitor_quarters.face_id is null
                ),
                0
            )::bigint as unidentified_sightings

        from visitor_quarters
        inner join quarter_hours using (location_id, business_day, quarter)
        group by quarter_hours.location_id, quarter_hours.hour_starts_at

    ),

    appearances_started as (

        select
            quarter_hours.location_id,
            quarter_hours.hour_starts_at,
            count(*) as appearances

        from appearances
        inner join
            quarter_hours
            on appearances.location_id = quarter_hours.location_id
            and appearances.business_day = quarter_hours.business_day
            and {{ quarter_of("appearances.started_at") }} = quarter_hours.quarter
        group by quarter_hours.location_id, quarter_hours.hour_starts_at

    ),

    visits_started as (

        select
            quarter_hours.location_id, quarter_hours.hour_starts_at, count(*) as visits

        from visits
        inner join
            quarter_hours
            on visits.location_id = quarter_hours.location_id
            and visits.business_day = quarter_hours.business_day
            and {{ quarter_of("visits.started_at") }} = quarter_hours.quarter
        group by quarter_hours.location_id, quarter_hours.hour_starts_at

    )

select
    hours.location_id,
    hours.business_day,
    hours.hour_starts_at,
    hours.local_hour,
    case
        when hours.is_unique then coalesce(seen.unique_visitors, 0)
    end as unique_visitors,
    case
        when hours.is_unique then coalesce(visits_started.visits, 0)
    end as visits_started,
    case
        when hours.is_unique then coalesce(appearances_started.appearances, 0)
    end as appearances,
    coalesce(seen.sightings, 0) as sightings,
    coalesce(seen.unidentified_sightings, 0) as unidentified_sightings

from hours
left join
    seen
    on hours.location_id = seen.location_id
    and hours.hour_starts_at = seen.hour_starts_at
left join
    appearances_started
    on hours.location_id = appearances_started.location_id
    and hours.hour_starts_at = appearances_started.hour_starts_at
left join
    visits_started
    on hours.location_id = visits_started.location_id
    and hours.hour_starts_at = visits_started.hour_starts_at
order by hours.business_day, hours.location_id, hours.hour_starts_at
