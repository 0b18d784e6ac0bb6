with

    labels as (select * from {{ ref("int_trait_labels") }}),

    classes as (select * from {{ ref("attribute_classes") }}),

    confusion as (
        select distinct location_id, trait from {{ ref("stg_attribute_confusion") }}
    ),

    coverage as (select * from {{ ref("int_coverage_counted") }}),

    -- A count that still grows would tell from one publication to the next who came in
    -- between: a day counts from the moment on that another one has begun.
    newest as (
        select max(business_day) as business_day from coverage where frames_captured > 0
    ),

    units as (

        select
            location_id,
            camera_id,
            zone,
            business_day,
            trait,
            count(distinct face_id) as labelled_visitors
        from labels
        group by location_id, camera_id, zone, business_day, trait

    ),

    judged as (

        select
            units.*,
            case
                when confusion.location_id is null
                then 'no_confusion'
                when not coalesce(units.business_day < newest.business_day, false)
                then 'day_not_over'
                when units.labelled_visitors < {{ var("least_visitors") }}
                then 'too_few_visitors'
            end as suppressed_reason

        from units
        cross join newest
        left join
            confusion
            on units.location_id = confusion.location_id
            and units.trait = confusion.trait

    ),

    counted as (

        select
            location_id,
            camera_id,
            zone,
            business_day,
            trait,
            class,
            count(*) as visitors
        from labels
        group by location_id, camera_id, zone, business_day, trait, class

    ),

    final as (

        select
            judged.location_id,
            judged.camera_id,
            judged.zone,
            judged.business_day,
            judged.trait,
            classes.class,
            case
                when judged.suppressed_reason is null then coalesce(counted.visitors, 0)
            end as visitors,
            case
                when judged.suppressed_reason is null then judged.labelled_visitors
            end as labelled_visitors,
            judged.suppressed_reason

        from judged
        inner join classes on judged.trait = classes.trait
        left join
            counted
            on judged.location_id = counted.location_id
            and judged.camera_id is not distinct from counted.camera_id
            and judged.zone is not distinct from counted.zone
            and judged.business_day = counted.business_day
            and judged.trait = counted.trait
            and classes.class = counted.class

    )

select *
from final
