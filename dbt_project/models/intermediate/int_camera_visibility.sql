with

    appearances as (select * from {{ ref("int_appearances") }} where interval_s > 0),

    spans as (

        select
            camera_id,
            linkage_window,
            interval_s,
            sightings,
            round(
                (epoch_us(ended_at) - epoch_us(started_at)) / (1000000 * interval_s)
            )::bigint as intervals

        from appearances

    ),

    -- The first and the last still of an appearance show the face by definition: only
    -- those between them say how often one does.
    inside as (

        select
            camera_id,
            linkage_window,
            interval_s,
            coalesce(sum(intervals - 1) filter (where intervals >= 2), 0)::bigint
            as stills,
            coalesce(
                sum(least(sightings - 2, intervals - 1)) filter (where intervals >= 2),
                0
            )::bigint as stills_shown,
            count(*) as appearances,
            count(*) filter (where intervals >= 1) as appearances_with_wait,
            sum(intervals)::bigint as intervals,
            sum(least(sightings - 1, intervals))::bigint as waits,
            floor(
                greatest(
                    {{ var("appearance_gap_s") }},
                    {{ var("appearance_gap_intervals") }} * interval_s
                )
                / interval_s
            ) as longest_wait

        from spans
        group by camera_id, linkage_window, interval_s

    ),

    shares as (

        select
            *,
            greatest(stills_shown / stills, {{ var("visibility_floor") }})::double
            as share_shown

        from inside
        where stills >= 1

    ),

    -- A wait of more than G stills ends an appearance, so waits are seen cut off at G:
    -- their mean is 1 / p - G q^G / (1 - q^G), that of a geometric distribution cut off
    -- at G. The wait that an appearance ended in is not seen, which is why an
    -- appearance
    -- that ended because somebody left counts between its ends only; how many ended so
    -- follows from p. Solved for p by repetition.
    final as (

        select
            camera_id,
            linkage_window,
            interval_s,
            stills,
            stills_shown,
            share_shown,
            case
                when stills >= {{ var("visibility_least_stills") }}
                then
                    greatest(
                        list_reduce(
                            list_prepend(share_shown, range(1, 61)::double[]),
                            lambda chance,
                            step:{{ next_chance("chance") }}
                        ),
                        {{ var("visibility_floor") }}
                    )
            end as visibility

        from shares

    )

select *
from final
