{#-
CTEs `kept` to `steps`: the way of each visit through the places of `stays`, which has visit_id, location_id, business_day, place,
started_at and ended_at. A stay that ends no later than an earlier one is no step: two cameras see the same person at
once, and nobody went there and back. Neighbours at the same place are one step.
-#}
{% macro steps_of(stays) -%}
    earlier as (

        select
            *,
            max(ended_at) over (
                partition by visit_id
                order by started_at, ended_at desc, place
                rows between unbounded preceding and 1 preceding
            ) as ended_before

        from {{ stays }}

    ),

    kept as (

        select
            *,
            lag(place) over (
                partition by visit_id order by started_at, ended_at
            ) as place_before

        from earlier
        where ended_at > ended_before or ended_before is null

    ),

    numbered as (

        select
            *,
            count(*) filter (where place is distinct from place_before) over (
                partition by visit_id
                order by started_at, ended_at
                rows between unbounded preceding and current row
            ) as step

        from kept

    ),

    steps as (

        select
            visit_id,
            location_id,
            business_day,
            step,
            place,
            min(started_at) as started_at,
            max(ended_at) as ended_at

        from numbered
        group by visit_id, location_id, business_day, step, place

    )
{%- endmacro %}

{#- The stays at places, as `steps_of` takes them: a stay is part of the visit in which it begins. -#}
{% macro stays_in_visits(stays, place) -%}
    select
        visits.visit_id,
        stays.location_id,
        stays.business_day,
        stays.{{ place }} as place,
        stays.started_at,
        stays.ended_at

    from {{ stays }} as stays
    inner join
        visits
        on stays.face_id = visits.face_id
        and stays.location_id = visits.location_id
        and stays.business_day = visits.business_day
        and stays.started_at >= visits.started_at
        and stays.started_at <= visits.ended_at
{%- endmacro %}
