with
    counts as (
        select *
        from {{ ref("int_trait_counts") }}
        where trait = 'expression' and zone is not null
    )

select
    location_id,
    zone,
    business_day,
    class,
    visitors,
    visitors / labelled_visitors as labelled_share,
    labelled_visitors,
    suppressed_reason

from counts
order by business_day, location_id, zone, class
