with

    zone_stays as (select * from {{ ref("int_zone_stays") }}),

    camera_zones as (select * from {{ ref("int_camera_zones") }}),

    coverage as (
        select distinct camera_id, business_day
        from {{ ref("int_coverage_counted") }}
        where frames_captured > 0
    ),

    location_versions as (select * from {{ ref("int_location_versions") }}),

    stayed as (

        select
            location_id,
            zone,
            business_day,
            count(distinct face_id) as visitors,
            count(*) as stays,
            {{ dwell_figures() }}

        from zone_stays
        group by location_id, zone, business_day

    ),

    -- What lies beside the drawn zones is a place only where somebody was.
    drawing as (
        select distinct camera_id, effective_from from camera_zones where is_drawn
    ),

    expected as (

        select camera_zones.*
        from camera_zones
        left join
            drawing
            on camera_zones.camera_id = drawing.camera_id
            and camera_zones.effective_from = drawing.effective_from
        where camera_zones.is_named or drawing.camera_id is null

    ),

    -- A zone is known on a day on which one of its cameras was alive.
    known as (

        select distinct expected.location_id, expected.zone, coverage.business_day
        from coverage
        inner join
            expected
            on coverage.camera_id = expected.camera_id
            and coverage.business_day >= expected.effective_from
            and coverage.business_day < expected.effective_to

        union

        select location_id, zone, business_day
        from stayed

    )

select
    known.location_id,
    known.zone,
    known.business_day,
    {{ linkage_window("known.business_day") }} as linkage_window,
    case
        when location_versions.mode = 'unique' then coalesce(stayed.visitors, 0)
    end as visitors,
    case
        when location_versions.mode = 'unique' then coalesce(stayed.stays, 0)
    end as stays,
    {{ dwell_columns("stayed") }}

from known
left join
    stayed
    on known.location_id = stayed.location_id
    and known.zone = stayed.zone
    and known.business_day = stayed.business_day
left join
    location_versions
    on known.location_id = location_versions.location_id
    and known.business_day >= location_versions.effective_from
    and known.business_day < location_versions.effective_to
order by known.business_day, known.location_id, known.zone
