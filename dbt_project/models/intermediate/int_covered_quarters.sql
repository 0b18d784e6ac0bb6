with

    coverage as (
        select * from {{ ref("int_coverage_counted") }} where frames_captured > 0
    ),

    location_versions as (select * from {{ ref("int_location_versions") }}),

    -- A batch covers [opened, closed): one that closes on the hour says nothing about
    -- the hour that begins.
    quarters as (

        select distinct
            location_id,
            business_day,
            unnest(
                range(
                    {{ quarter_of("opened_at") }},
                    greatest(
                        {{ quarter_of("closed_at - interval 1 microsecond") }},
                        {{ quarter_of("opened_at") }}
                    )
                    + 1
                )
            ) as quarter

        from coverage

    ),

    located as (

        select quarters.*, location_versions.timezone

        from quarters
        inner join
            location_versions
            on quarters.location_id = location_versions.location_id
            and quarters.business_day >= location_versions.effective_from
            and quarters.business_day < location_versions.effective_to

    ),

    -- Once a zone: asking for local time costs more than all the rest.
    clocks as (

        select
            timezone,
            quarter,
            timezone(timezone, {{ quarter_start("quarter") }})::date as local_day

        from (select distinct timezone, quarter from located)

    ),

    -- A batch belongs to the day it was opened on. The part of it beyond midnight is
    -- left to the next day's own batches.
    final as (

        select located.location_id, located.business_day, located.quarter

        from located
        inner join
            clocks
            on located.timezone = clocks.timezone
            and located.quarter = clocks.quarter
            and located.business_day = clocks.local_day

    )

select *
from final
