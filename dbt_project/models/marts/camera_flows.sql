with

    zone_moves as (select * from {{ ref("int_zone_moves") }}),

    camera_moves as (select * from {{ ref("int_camera_moves") }}),

    levels as (

        select 'zone' as level, *
        from zone_moves
        union all
        select 'camera' as level, *
        from camera_moves

    )

select
    location_id,
    business_day,
    level,
    from_place,
    to_place,
    count(*) as moves,
    {{ total_s("gap_s") }} as total_gap_s,
    median(gap_s) as median_gap_s

from levels
group by location_id, business_day, level, from_place, to_place
order by business_day, location_id, level, from_place, to_place
