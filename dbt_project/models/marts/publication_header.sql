with

    home as (select * from {{ ref("stg_home") }}),

    sightings as (select * from {{ ref("stg_sightings") }}),

    coverage as (select * from {{ ref("stg_coverage") }}),

    counts as (select * from {{ ref("stg_counts") }}),

    -- An empty store is information: a covered day without a face counts as data.
    spans as (

        select
            min(business_day) as first_business_day,
            max(business_day) as last_business_day,
            max(captured_at) as last_captured_at
        from sightings
        union all
        select min(business_day), max(business_day), max(closed_at)
        from coverage
        where frames_captured > 0
        union all
        -- The age of the data is that of the newest still.
        select min(business_day), max(business_day), null::timestamptz
        from counts

    ),

    span as (

        select
            min(first_business_day) as first_business_day,
            max(last_business_day) as last_business_day,
            max(last_captured_at) as last_captured_at

        from spans

    )

select
    home.environment,
    home.linkage_window_kind,
    span.first_business_day,
    span.last_business_day,
    span.last_captured_at,
    {{ var("appearance_gap_s") }}::integer as appearance_gap_s,
    {{ var("appearance_gap_intervals") }}::integer as appearance_gap_intervals,
    {{ var("visit_gap_s") }}::integer as visit_gap_s

from home
cross join span
