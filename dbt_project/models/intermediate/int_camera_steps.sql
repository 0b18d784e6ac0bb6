with

    appearances as (select * from {{ ref("int_appearances") }}),

    visits as (select * from {{ ref("int_visits") }}),

    stays as (

        select
            visits.visit_id,
            appearances.location_id,
            appearances.business_day,
            appearances.camera_id as place,
            appearances.started_at,
            appearances.ended_at

        from appearances
        inner join
            visits
            on appearances.face_id = visits.face_id
            and appearances.location_id = visits.location_id
            and appearances.business_day = visits.business_day
            and appearances.started_at >= visits.started_at
            and appearances.started_at <= visits.ended_at

    ),

    {{ steps_of("stays") }}

select *
from steps
