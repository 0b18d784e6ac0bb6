with
    counts as (
        select *
        from {{ ref("int_trait_counts") }}
        where trait = 'expression' and camera_id is not null
    )

select
    location_id,
    camera_id,
    business_day,
    class,
    visitors,
    labelled_visitors,
    suppressed_reason

from counts
order by business_day, location_id, camera_id, class
