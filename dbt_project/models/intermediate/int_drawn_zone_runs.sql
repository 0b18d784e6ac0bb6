with

    sightings as (
        select *
        from {{ ref("int_sightings_identified") }}
        where face_id is not null and is_excluded is not true
    ),

    camera_versions as (select * from {{ ref("int_camera_versions") }}),

    camera_zones as (select * from {{ ref("int_camera_zones") }}),

    drawing as (
        select distinct camera_id, effective_from from camera_zones where is_drawn
    ),

    cameras as (

        select
            camera_versions.camera_id,
            camera_versions.interval_s,
            camera_versions.effective_from,
            camera_versions.effective_to,
            camera_zones.zone as other_zone

        from camera_versions
        inner join
            drawing
            on camera_versions.camera_id = drawing.camera_id
            and camera_versions.effective_from = drawing.effective_from
        inner join
            camera_zones
            on camera_versions.camera_id = camera_zones.camera_id
            and camera_versions.effective_from = camera_zones.effective_from
            and not camera_zones.is_drawn

    ),

    placed as (

        select
            sightings.face_id,
            sightings.visitor_id,
            sightings.visitor_number,
            sightings.linkage_window,
            sightings.camera_id,
            sightings.camera_number,
            sightings.location_id,
            sightings.business_day,
            sightings.captured_at,
            cameras.interval_s,
            coalesce(sightings.drawn_zone, cameras.other_zone) as zone

        from sightings
        inner join
            cameras
            on sightings.camera_id = cameras.camera_id
            and sightings.business_day >= cameras.effective_from
            and sightings.business_day < cameras.effective_to

    ),

    gaps as (

        select
            *,
            epoch_us(captured_at)
            - lag(epoch_us(captured_at)) over in_zone as gap_before_us

        from placed
        window
            in_zone as (
                partition by face_id, camera_id, location_id, zone, business_day
                order by captured_at
            )

    ),

    numbered as (

        select
            *,
            count(*) filter (
                where
                    gap_before_us
                    > 1000000
                    * greatest(
                        {{ var("appearance_gap_s") }},
                        {{ var("appearance_gap_intervals") }} * interval_s
                    )
            ) over (
                partition by face_id, camera_id, location_id, zone, business_day
                order by captured_at
                rows between unbounded preceding and current row
            ) as run

        from gaps

    ),

    final as (

        select
            face_id,
            visitor_id,
            any_value(visitor_number) as visitor_number,
            linkage_window,
            camera_id,
            any_value(camera_number) as camera_number,
            location_id,
            zone,
            business_day,
            min(captured_at) as started_at,
            max(captured_at) as ended_at,
            count(*) as sightings,
            interval_s

        from numbered
        group by
            face_id,
            visitor_id,
            linkage_window,
            camera_id,
            location_id,
            zone,
            business_day,
            interval_s,
            run

    )

select *
from final
