{{ config(materialized="view") }}

with sightings as (select * from {{ ref("int_sightings_identified") }})

select
    face_id,
    face_image_id,
    image_id,
    camera_id,
    location_id,
    captured_at,
    camera_number,
    visitor_id,
    linkage_window,
    business_day,
    local_visitor_id,
    match_score,
    unidentified_reason,
    detector,
    embedder,
    excluded_reason,
    is_excluded

from sightings
