{{ config(materialized="view") }}

with

    coverage as (select * from {{ ref("stg_coverage") }}),

    staff_cameras as (select * from {{ ref("int_camera_versions") }} where staff_only),

    -- What a staff-only camera delivers says nothing about customers: without this an
    -- hour in which it alone was alive would count as an empty one.
    final as (

        select
            coverage.batch_id,
            coverage.camera_id,
            coverage.location_id,
            coverage.business_day,
            coverage.opened_at,
            coverage.closed_at,
            coverage.frames_expected,
            coverage.frames_captured,
            coverage.frames_kept

        from coverage
        left join
            staff_cameras
            on coverage.camera_id = staff_cameras.camera_id
            and coverage.business_day >= staff_cameras.effective_from
            and coverage.business_day < staff_cameras.effective_to
        where staff_cameras.camera_id is null

    )

select *
from final
