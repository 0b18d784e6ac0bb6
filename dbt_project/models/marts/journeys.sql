with

    steps as (select * from {{ ref("int_zone_steps") }}),

    ways as (

        select
            location_id,
            business_day,
            -- a column a step: an ordered aggregate costs twice as much
            concat_ws(
                ' > '
                {%- for step in range(1, var("journey_steps") + 1) %}
                    , any_value(place) filter (where step = {{ step }})
                {%- endfor %}
            ) as journey,
            least(max(step), {{ var("journey_steps") }}) as steps,
            max(step) > {{ var("journey_steps") }} as goes_on

        from steps
        group by visit_id, location_id, business_day

    )

select location_id, business_day, journey, steps, goes_on, count(*) as visits

from ways
group by location_id, business_day, journey, steps, goes_on
order by business_day, location_id, journey, goes_on
