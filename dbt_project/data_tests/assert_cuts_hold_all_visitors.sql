-- A row is a visitor, camera and day that is counted from appearances and not from
-- local visitors, or the other way round: list and count would be of other people.
with

    from_appearances as (
        select face_id, linkage_window, camera_id, location_id, business_day
        from {{ ref("visitor_day") }}
    ),

    from_local_visitors as (
        select distinct face_id, linkage_window, camera_id, location_id, business_day
        from {{ ref("local_visitor_cuts") }}
    )

select
    from_appearances.face_id as counted_face_id,
    from_local_visitors.face_id as local_face_id,
    coalesce(from_appearances.camera_id, from_local_visitors.camera_id) as camera_id,
    coalesce(
        from_appearances.business_day, from_local_visitors.business_day
    ) as business_day
from from_appearances
full join
    from_local_visitors
    on from_appearances.face_id = from_local_visitors.face_id
    and from_appearances.linkage_window = from_local_visitors.linkage_window
    and from_appearances.camera_id = from_local_visitors.camera_id
    and from_appearances.location_id = from_local_visitors.location_id
    and from_appearances.business_day = from_local_visitors.business_day
where from_appearances.face_id is null or from_local_visitors.face_id is null
