with sales as (select * from {{ ref("stg_sales") }} where category is not null)

select
    location_id,
    business_day,
    category,
    sum(transactions)::bigint as transactions,
    case when bool_and(items is not null) then sum(items)::bigint end as items,
    case
        when bool_and(revenue is not null) then sum(revenue)::decimal(18, 2)
    end as revenue

from sales
group by location_id, business_day, category
order by business_day, location_id, category
