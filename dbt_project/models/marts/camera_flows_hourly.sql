with

    moves as (select * from {{ ref("int_zone_moves") }}),

    quarter_hours as (select * from {{ ref("int_quarter_hours") }})

select
    quarter_hours.location_id,
    quarter_hours.business_day,
    quarter_hours.hour_starts_at,
    quarter_hours.local_hour,
    moves.from_place,
    moves.to_place,
    count(*) as moves

from moves
inner join
    quarter_hours
    on moves.location_id = quarter_hours.location_id
    and moves.business_day = quarter_hours.business_day
    and {{ quarter_of("moves.moved_at") }} = quarter_hours.quarter
group by
    quarter_hours.location_id,
    quarter_hours.business_day,
    quarter_hours.hour_starts_at,
    quarter_hours.local_hour,
    moves.from_place,
    moves.to_place
order by
    quarter_hours.business_day,
    quarter_hours.location_id,
    quarter_hours.hour_starts_at,
    moves.from_place,
    moves.to_place
