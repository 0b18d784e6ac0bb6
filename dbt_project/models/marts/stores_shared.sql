with

    visitor_days as (select * from {{ ref("int_visitor_days") }}),

    visited as (select distinct linkage_window, face_id, location_id from visitor_days),

    other as (select * from visited)

select
    visited.linkage_window,
    visited.location_id,
    other.location_id as other_location_id,
    count(*) as visitors

from visited
inner join
    other
    on visited.linkage_window = other.linkage_window
    and visited.face_id = other.face_id
    and visited.location_id <= other.location_id
group by visited.linkage_window, visited.location_id, other.location_id
order by visited.linkage_window, visited.location_id, other.location_id
