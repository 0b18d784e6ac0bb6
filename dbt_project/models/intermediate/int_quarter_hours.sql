with

    visitor_quarters as (
        select distinct location_id, business_day, quarter
        from {{ ref("int_visitor_quarters") }}
    ),

    covered_quarters as (
        select location_id, business_day, quarter from {{ ref("int_covered_quarters") }}
    ),

    location_versions as (select * from {{ ref("int_location_versions") }}),

    quarters as (
        select *
        from visitor_quarters
        union
        select *
        from covered_quarters
    ),

    located as (

        select quarters.*, location_versions.timezone, location_versions.mode

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
            {{ quarter_start("quarter") }} as starts_at,
            timezone(timezone, starts_at) as local_time

        from (select distinct timezone, quarter from located)

    ),

    localised as (
        select located.*, clocks.starts_at, clocks.local_time
        from located
        inner join
            clocks
            on located.timezone = clocks.timezone
            and located.quarter = clocks.quarter
    ),

    -- Counted back from the quarter itself, not converted from local time: the hour
    -- that occurs twice when clocks go back stays two hours, and zones of half hours
    -- begin theirs at half past in UTC.
    final as (

        select
            location_id,
            business_day,
            quarter,
            make_timestamptz(
                epoch_us(starts_at) - 60000000 * extract(minute from local_time)
            ) as hour_starts_at,
            extract(hour from local_time)::integer as local_hour,
            mode = 'unique' as is_unique

        from localised

    )

select *
from final
