with

    sales as (select * from {{ ref("stg_sales") }}),

    footfall as (select * from {{ ref("footfall_daily") }}),

    -- One receipt can hold several categories: rows of categories say nothing of how
    -- many receipts there were, and their amounts count where no other row gives them.
    days as (

        select
            location_id,
            business_day,
            bool_or(category is null) as has_totals,
            sum(transactions) filter (where category is null)::bigint as transactions,
            sum(items) filter (where (category is null) = has_totals_of_day)::bigint
            as items,
            bool_and(items is not null) filter (
                where (category is null) = has_totals_of_day
            ) as has_items,
            sum(revenue) filter (where (category is null) = has_totals_of_day)::decimal(
                18, 2
            ) as revenue,
            bool_and(revenue is not null) filter (
                where (category is null) = has_totals_of_day
            ) as has_revenue

        from
            (
                select
                    *,
                    bool_or(category is null) over (
                        partition by location_id, business_day
                    ) as has_totals_of_day
                from sales
            )
        group by location_id, business_day

    )

select
    days.location_id,
    days.business_day,
    days.transactions,
    case when days.has_items then days.items end as items,
    case when days.has_revenue then days.revenue end as revenue,
    footfall.visits,
    footfall.unique_visitors,
    days.transactions / nullif(footfall.visits, 0) as transactions_per_visit,
    days.transactions / nullif(footfall.unique_visitors, 0) as transactions_per_visitor,
    case when days.has_revenue then days.revenue end
    / nullif(footfall.visits, 0) as revenue_per_visit,
    days.transactions > footfall.visits as has_more_transactions_than_visits

from days
left join
    footfall
    on days.location_id = footfall.location_id
    and days.business_day = footfall.business_day
order by days.business_day, days.location_id
