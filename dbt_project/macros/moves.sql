{#-
CTE `moves` from a CTE `steps`: one row per move of a visit: from the way in to its first place, from place to place, from the
last place to the way out. A move happens when the next place is reached, the way out at the last sighting.
-#}
{% macro moves_of(steps) -%}
    followed as (

        select
            *,
            lead(place) over (partition by visit_id order by step) as next_place,
            lead(started_at) over (partition by visit_id order by step) as next_starts

        from {{ steps }}

    ),

    moves as (

        select
            location_id,
            business_day,
            '(entry)' as from_place,
            place as to_place,
            started_at as moved_at,
            null::double as gap_s
        from followed
        where step = 1

        union all

        select
            location_id,
            business_day,
            place as from_place,
            coalesce(next_place, '(exit)') as to_place,
            coalesce(next_starts, ended_at) as moved_at,
            -- greatest() passes over nulls: the way out has no gap, not one of 0
            case
                when next_starts is not null
                then greatest(epoch_us(next_starts) - epoch_us(ended_at), 0) / 1000000
            end as gap_s
        from followed

    )
{%- endmacro %}
