-- A row is a visitor who leaves all counts and is in a mart beside the log.
with

    excluded as (
        select distinct face_id, linkage_window
        from {{ ref("stg_identities") }}
        where excluded_reason is not null
    ),

    counted as (
        select face_id, linkage_window, 'fct_appearances' as mart
        from {{ ref("fct_appearances") }}
        union all
        select face_id, linkage_window, 'fct_visits' as mart
        from {{ ref("fct_visits") }}
        union all
        select face_id, linkage_window, 'visitor_day' as mart
        from {{ ref("visitor_day") }}
        union all
        select face_id, linkage_window, 'local_visitor_cuts' as mart
        from {{ ref("local_visitor_cuts") }}
        union all
        select face_id, linkage_window, 'unique_visitor_report' as mart
        from {{ ref("unique_visitor_report") }}
        union all
        select face_id, linkage_window, 'visitor_window' as mart
        from {{ ref("visitor_window") }}
    )

select counted.mart, count(*) as occurrences
from counted
inner join excluded using (face_id, linkage_window)
group by counted.mart
