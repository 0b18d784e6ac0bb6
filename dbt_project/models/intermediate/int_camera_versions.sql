with

    cameras as (select * from {{ ref("stg_cameras") }}),

    final as (

        select
            camera_id,
            location_id,
            interval_s,
            staff_only,
            valid_from,
            -- A still older than the first entry, or from a gap between two, still
            -- has an interval.
            case
                when lag(valid_from) over versions is null
                then date '0001-01-01'
                else valid_from
            end as effective_from,
            coalesce(lead(valid_from) over versions, date '9999-12-31') as effective_to

        from cameras
        window versions as (partition by camera_id order by valid_from)

    )

select *
from final
