with

    source as (select * from {{ source("raw", "opening_hours") }}),

    -- A later file replaces all hours of every weekday or exception it names.
    renamed as (

        select
            location_id,
            weekday,
            case
                when weekday is not null then coalesce(valid_from, date '0001-01-01')
            end as valid_from,
            exception_day,
            opens_minute,
            closes_minute

        from source
        qualify
            import_sequence = max(import_sequence) over (
                partition by location_id, weekday, source.valid_from, exception_day
            )

    )

select *
from renamed
