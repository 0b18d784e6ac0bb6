with

    sightings as (
        select *
        from {{ ref("int_sightings_identified") }}
        where face_id is not null and is_excluded is not true
    ),

    cuts as (select * from {{ ref("stg_cuts") }}),

    seen as (

        select
            local_visitor_id,
            face_id,
            linkage_window,
            location_id,
            camera_id,
            camera_number,
            business_day

        from sightings
        group by all

    )

-- sorted by neighbouring cameras, then day: a report reads those it is about
select
    seen.local_visitor_id,
    seen.face_id,
    seen.linkage_window,
    seen.location_id,
    seen.camera_id,
    seen.camera_number,
    seen.business_day,
    cuts.cut_01,
    cuts.cut_02,
    cuts.cut_03,
    cuts.cut_04,
    cuts.cut_05,
    cuts.cut_06,
    cuts.cut_07,
    cuts.cut_08,
    cuts.cut_09,
    cuts.cut_10,
    cuts.cut_11

from seen
left join cuts on seen.local_visitor_id = cuts.local_visitor_id
order by {{ camera_block("seen.camera_number") }}, seen.business_day, seen.camera_number
