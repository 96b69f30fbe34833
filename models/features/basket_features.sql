{{ config(materialized='view') }}

-- Grain: customer with a product bought in the 180 days before the day, and day. Breadth and taste;
-- untransformed, not additive. Sensitive categories and products without a category are left out.
with dates as (
    select * from {{ ref('feature_dates') }}
),

days as (
    select * from {{ ref('category_days') }}
),

counted as (
    select
        days.customer_key,
        dates.as_of_date,
        dates.is_of_run,
        days.category,
        sum(days.line_count) as line_count,
        sum(
            case when days.order_date >= dates.as_of_date - 90 then days.line_count else 0 end
        ) as line_count_90d
    from days
    inner join dates
        on
            days.is_of_run = dates.is_of_run
            and days.known_date < dates.as_of_date
            and days.gone_date >= dates.as_of_date
            and days.order_date >= dates.as_of_date - 180
    group by days.customer_key, dates.as_of_date, dates.is_of_run, days.category
),

final as (
    select
        customer_key,
        as_of_date,
        is_of_run,
        count(*) as category_count_180d,
        count(case when line_count_90d > 0 then 1 end) as category_count_90d,
        cast(sum(line_count) as bigint) as line_count_180d,
        cast(max(line_count) as bigint) as top_line_count_180d
    from counted
    group by customer_key, as_of_date, is_of_run
)

select * from final
