{{ config(materialized='view') }}

-- Grain: customer with a product bought in the 180 days before the day, and day. Breadth and taste;
-- untransformed, not additive. Sensitive categories and products without a category are left out.
with dates as (
    select * from {{ ref('feature_dates') }}
),

orders as (
    select * from {{ ref('counted_orders') }}
),

order_lines as (
    select * from {{ ref('fct_order_lines') }}
    where revenue_kind = 'product'
),

products as (
    select * from {{ ref('dim_products') }}
    where category is not null and not is_sensitive
),

known_orders as (
    select
        orders.customer_key,
        orders.store,
        orders.order_id,
        dates.as_of_date,
        dates.is_of_run,
        dates.as_of_date - orders.order_date as age_days
    from orders
    inner join dates
        on
            orders.is_of_run = dates.is_of_run
            and orders.known_date < dates.as_of_date
            and orders.gone_date >= dates.as_of_date
            and orders.order_date >= dates.as_of_date - 180
),

counted as (
    select
        known_orders.customer_key,
        known_orders.as_of_date,
        known_orders.is_of_run,
        products.category,
        count(*) as line_count,
        count(case when known_orders.age_days <= 90 then 1 end) as line_count_90d
    from known_orders
    inner join order_lines
        on
            known_orders.store = order_lines.store
            and known_orders.order_id = order_lines.order_id
    inner join products on order_lines.product_key = products.product_key
    group by
        known_orders.customer_key, known_orders.as_of_date, known_orders.is_of_run,
        products.category
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
