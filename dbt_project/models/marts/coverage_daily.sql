with

    coverage as (select * from {{ ref("stg_coverage") }}),

    gaps as (select * from {{ ref("coverage_gaps") }}),

    days as (

        select
            location_id,
            camera_id,
            business_day,
            count(*) as batches,
            min(opened_at) as first_opened_at,
            max(closed_at) as last_closed_at,
            sum(frames_expected)::bigint as frames_expected,
            sum(frames_captured)::bigint as frames_captured,
            sum(frames_kept)::bigint as frames_kept,
            sum(images_quarantined)::bigint as images_quarantined

        from coverage
        group by location_id, camera_id, business_day

    ),

    missing as (

        select camera_id, business_day, sum(missing_batches)::bigint as missing_batches

        from gaps
        group by camera_id, business_day

    )

select
    days.location_id,
    days.camera_id,
    days.business_day,
    days.batches,
    coalesce(missing.missing_batches, 0) as missing_batches,
    days.first_opened_at,
    days.last_closed_at,
    days.frames_expected,
    days.frames_captured,
    days.frames_kept,
    days.images_quarantined

from days
left join
    missing
    on days.camera_id = missing.camera_id
    and days.business_day = missing.business_day
order by days.business_day, days.camera_id
