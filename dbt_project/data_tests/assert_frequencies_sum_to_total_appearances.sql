-- A row is a visitor whose frequencies per location, or appearances, do not sum to
-- the total in the report.
with

    report as (select * from {{ ref("unique_visitor_report") }}),

    frequencies as (
        select linkage_window, face_id, location_id, count(*) as appearances
        from {{ ref("fct_appearances") }}
        group by linkage_window, face_id, location_id
    ),

    totals as (
        select
            linkage_window,
            face_id,
            sum(appearances) as appearances,
            count(*) as locations
        from frequencies
        group by linkage_window, face_id
    )

select *
from report
full join totals using (linkage_window, face_id)
where
    report.total_appearances is distinct from totals.appearances
    or len(report.locations_visited) is distinct from totals.locations
