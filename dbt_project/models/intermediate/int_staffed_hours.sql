with

    local_hours as (select * from {{ ref("int_local_hours") }}),

    opening_hours as (select * from {{ ref("int_opening_hours") }}),

    planned_staff as (select * from {{ ref("stg_planned_staff") }}),

    open_minutes as (

        select
            local_hours.location_id,
            local_hours.hour_starts_at,
            sum(
                greatest(
                    least(opening_hours.closes_minute, 60 * local_hours.local_hour + 60)
                    - greatest(opening_hours.opens_minute, 60 * local_hours.local_hour),
                    0
                )
            )::integer as open_minutes

        from local_hours
        inner join
            opening_hours
            on local_hours.location_id = opening_hours.location_id
            and local_hours.business_day = opening_hours.business_day
            and opening_hours.opens_minute is not null
        group by local_hours.location_id, local_hours.hour_starts_at

    ),

    staff_minutes as (

        select
            local_hours.location_id,
            local_hours.hour_starts_at,
            -- Summed exactly: the result must not depend on the order of rows.
            sum(
                planned_staff.staff * greatest(
                    least(
                        planned_staff.ends_minute,
                        60 * local_hours.local_hour + 60
                    ) - greatest(
                        planned_staff.starts_minute, 60 * local_hours.local_hour
                    ),
                    0
                )
            ) as staff_minutes

        from local_hours
        inner join
            planned_staff
            on local_hours.location_id = planned_staff.location_id
            and local_hours.business_day = planned_staff.business_day
        group by local_hours.location_id, local_hours.hour_starts_at

    ),

    final as (

        select
            local_hours.location_id,
            local_hours.business_day,
            local_hours.hour_starts_at,
            local_hours.local_hour,
            open_minutes.open_minutes,
            staff_minutes.staff_minutes / 60.0 as planned_staff

        from local_hours
        left join
            open_minutes
            on local_hours.location_id = open_minutes.location_id
            and local_hours.hour_starts_at = open_minutes.hour_starts_at
        left join
            staff_minutes
            on local_hours.location_id = staff_minutes.location_id
            and local_hours.hour_starts_at = staff_minutes.hour_starts_at
        where
            coalesce(open_minutes.open_minutes, 0) > 0
            or coalesce(staff_minutes.staff_minutes, 0) > 0

    )

select *
from final
