with

    locations as (select * from {{ ref("stg_locations") }}),

    ranked as (

        select
            *,
            min(valid_from) over (partition by location_id) as first_valid_from,
            row_number() over (
                partition by location_id order by valid_from desc
            ) as newness

        from locations

    )

select
    location_id,
    name,
    timezone,
    mode,
    legal_basis,
    partition_group,
    first_valid_from,
    valid_from,
    valid_to,
    valid_to is null as is_current

from ranked
where newness = 1
order by location_id
