{{ config(materialized='view') }}

-- Grain: customer with a product bought in the 180 days before the day, and day. Breadth and taste;
-- untransformed, not additive. Sensitive categories are left out.
with dates as (
    select * from {{ ref('feature_dates') }}
),

bought as (
    select * from {{ ref('bought_lines') }}
),

counted as (
    select
        bought.customer_key,
        dates.as_of_date,
        dates.is_of_run,
        bought.category,
        count(*) as line_count,
        count(case when bought.order_date >= dates.as_of_date - 90 then 1 end) as line_count_90d
    from bought
    inner join dates
        on
            bought.is_of_run = dates.is_of_run
            and bought.order_date < dates.as_of_date
            and bought.order_date >= dates.as_of_date - 180
            and coalesce(bought.gone_date >= dates.as_of_date, true)
    group by bought.customer_key, dates.as_of_date, dates.is_of_run, bought.category
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
