-- A row is a visitor, camera and day that is counted from appearances and not from
-- local visitors, or the other way round: list and count would be of other people.
with

    from_appearances as (
        select face_id, linkage_window, camera_id, location_id, business_day
        from {{ ref("visitor_day") }}
    ),

    from_local_visitors as (
        select distinct face_id, linkage_window, camera_id, location_id, business_day
        from {{ ref("local_visitor_cuts") }}
    )

    (
        select 'no local visitor' as missing, *
        from from_appearances
        except all
        select 'no local visitor', *
        from from_local_visitors
    )
union all
(
    select 'no appearance' as missing, *
    from from_local_visitors
    except all
    select 'no appearance', *
    from from_appearances
)
