with

    visits as (select * from {{ ref("int_visits") }}),

    days as (select * from {{ ref("footfall_daily") }} where sightings is not null),

    stayed as (

        select location_id, business_day, {{ dwell_figures() }}

        from visits
        group by location_id, business_day

    )

select
    days.location_id,
    days.business_day,
    days.linkage_window,
    days.visits,
    {{ dwell_columns("stayed") }}

from days
left join
    stayed
    on days.location_id = stayed.location_id
    and days.business_day = stayed.business_day
order by days.business_day, days.location_id
