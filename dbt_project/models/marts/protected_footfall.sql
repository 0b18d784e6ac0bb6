with

    atoms as (select * from {{ ref("int_footfall_atoms") }}),

    -- What somebody may conclude from the published units is bounded: a unit has no
    -- more people than its parts together, and no fewer than each. `highest` is the
    -- most people a unit can have by what is published; `carries` is how high a lower
    -- bound from outside may be before a hidden part of it keeps fewer values than
    -- `least_feasible`. Both follow from what is published, never from what is hidden.
    hours as (

        select
            *,
            unique_visitors < {{ var("least_visitors") }} as is_fewer,
            case when not is_fewer then {{ rounded("unique_visitors") }} end as shown,
            case
                when is_fewer
                then {{ var("least_visitors") - 1 }}
                else {{ highest_of("shown") }}
            end as highest,
            case
                when is_fewer then {{ hidden_carries() }} else 1000000000000
            end as carries

        from atoms
        where grain = 'hour'

    ),

    hours_of_days as (
        select location_id, first_day, {{ parts_together() }}
        from hours
        group by location_id, first_day
    ),

    days as (

        select atoms.*, {{ protected_unit("atoms.unique_visitors", "hours_of_days") }}

        from atoms
        inner join
            hours_of_days
            on atoms.location_id = hours_of_days.location_id
            and atoms.first_day = hours_of_days.first_day
        where atoms.grain = 'day'

    ),

    days_of_weeks as (
        select location_id, linkage_window, week_starts_on, {{ parts_together() }}
        from days
        group by location_id, linkage_window, week_starts_on
    ),

    weeks as (

        select atoms.*, {{ protected_unit("atoms.unique_visitors", "days_of_weeks") }}

        from atoms
        inner join
            days_of_weeks
            on atoms.location_id = days_of_weeks.location_id
            and atoms.linkage_window = days_of_weeks.linkage_window
            and atoms.week_starts_on = days_of_weeks.week_starts_on
        where atoms.grain = 'week'

    ),

    weeks_of_months as (
        select location_id, linkage_window, {{ parts_together() }}
        from weeks
        group by location_id, linkage_window
    ),

    months as (

        select atoms.*, {{ protected_unit("atoms.unique_visitors", "weeks_of_months") }}

        from atoms
        inner join
            weeks_of_months
            on atoms.location_id = weeks_of_months.location_id
            and atoms.linkage_window = weeks_of_months.linkage_window
        where atoms.grain = 'month'

    ),

    final as (
        select *
        from hours
        union all by name
        select *
        from days
        union all by name
        select *
        from weeks
        union all by name
        select *
        from months
    )

select
    location_id,
    grain,
    first_day,
    last_day,
    hour_starts_at,
    local_hour,
    linkage_window,
    is_fewer,
    shown as unique_visitors

from final
order by location_id, grain, first_day, hour_starts_at
