with

    sightings as (select * from {{ ref("stg_sightings") }}),

    identities as (select * from {{ ref("stg_identities") }}),

    visitor_numbers as (select * from {{ ref("int_visitor_numbers") }}),

    staff_cameras as (select * from {{ ref("int_camera_versions") }} where staff_only),

    cameras as (select * from {{ ref("int_camera_numbers") }}),

    -- Joined first: the many sightings are then looked up once.
    visitors as (

        select
            identities.local_visitor_id,
            identities.face_id,
            identities.linkage_window,
            identities.excluded_reason,
            visitor_numbers.visitor_id,
            visitor_numbers.visitor_number
        from identities
        left join
            visitor_numbers
            on identities.face_id = visitor_numbers.face_id
            and identities.linkage_window = visitor_numbers.linkage_window

    ),

    final as (

        select
            visitors.face_id,
            sightings.face_image_id,
            sightings.image_id,
            sightings.camera_id,
            cameras.camera_number,
            sightings.location_id,
            sightings.captured_at,
            visitors.visitor_id,
            visitors.visitor_number,
            coalesce(
                visitors.linkage_window, {{ linkage_window("sightings.business_day") }}
            ) as linkage_window,
            sightings.business_day,
            sightings.local_visitor_id,
            sightings.match_score,
            sightings.drawn_zone,
            case
                when visitors.face_id is not null
                then null
                when sightings.local_visitor_id is not null
                then 'not_resolved'
                else coalesce(sightings.unidentified_reason, 'unmatched')
            end as unidentified_reason,
            sightings.detector,
            sightings.embedder,
            case
                when visitors.excluded_reason is not null
                then visitors.excluded_reason
                when staff_cameras.camera_id is not null
                then 'staff_only_camera'
            end as excluded_reason,
            visitors.excluded_reason is not null
            or staff_cameras.camera_id is not null as is_excluded

        from sightings
        left join visitors on sightings.local_visitor_id = visitors.local_visitor_id
        left join cameras on sightings.camera_id = cameras.camera_id
        left join
            staff_cameras
            on sightings.camera_id = staff_cameras.camera_id
            and sightings.business_day >= staff_cameras.effective_from
            and sightings.business_day < staff_cameras.effective_to

    )

select *
from final
