with

    locations as (select * from {{ ref("stg_locations") }}),

    final as (

        select
            location_id,
            name,
            timezone,
            mode,
            -- A still older than the first entry, or from a gap between two, still
            -- has a zone and a mode.
            case
                when lag(valid_from) over versions is null
                then date '0001-01-01'
                else valid_from
            end as effective_from,
            coalesce(lead(valid_from) over versions, date '9999-12-31') as effective_to

        from locations
        window versions as (partition by location_id order by valid_from)

    )

select *
from final
