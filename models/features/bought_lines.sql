{{ config(materialized='view') }}

-- Grain: order line of a product with a category that may be named, whose order counted at some
-- time. It counts at a cutoff after order_date and not after gone_date, the day on which the order
-- was cancelled. Amounts before refunds, in base currency.
with order_lines as (
    select * from {{ ref('fct_order_lines') }}
    where revenue_kind = 'product' and product_key is not null and customer_key is not null
),

cancelled_orders as (
    select * from {{ ref('fct_orders') }}
    where cancelled_date is not null and not is_test
),

customers as (
    select * from {{ ref('profiled_customers') }}
),

products as (
    select * from {{ ref('dim_products') }}
    where category is not null and not is_sensitive
),

branches as (
    select true as is_of_run
    union all
    select false as is_of_run
),

final as (
    select
        branches.is_of_run,
        order_lines.store,
        order_lines.order_line_id,
        order_lines.order_id,
        order_lines.customer_key,
        products.category,
        order_lines.order_date,
        cancelled_orders.cancelled_date as gone_date,
        order_lines.product_base_amount
    from order_lines
    inner join customers on order_lines.customer_key = customers.customer_key
    inner join products on order_lines.product_key = products.product_key
    left join cancelled_orders
        on
            order_lines.store = cancelled_orders.store
            and order_lines.order_id = cancelled_orders.order_id
    cross join branches
    where order_lines.is_valid or cancelled_orders.order_id is not null
)

select * from final
