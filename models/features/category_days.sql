{{ config(materialized='view') }}

-- Grain: customer, category, day of purchase, and span of days on which it is known and stands: it
-- counts at a cutoff after known_date and not after gone_date (see counted_orders). Sensitive
-- categories and products without a category are left out.
with orders as (
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

final as (
    select
        orders.is_of_run,
        orders.customer_key,
        products.category,
        orders.order_date,
        orders.known_date,
        orders.gone_date,
        count(*) as line_count
    from orders
    inner join order_lines
        on orders.store = order_lines.store and orders.order_id = order_lines.order_id
    inner join products on order_lines.product_key = products.product_key
    group by
        orders.is_of_run, orders.customer_key, products.category, orders.order_date,
        orders.known_date, orders.gone_date
)

select * from final
