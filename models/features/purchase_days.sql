{{ config(materialized='view') }}

-- Grain: customer, day of purchase, and span of days on which it is known and stands: it counts at
-- a cutoff after known_date and not after gone_date (see counted_orders). A refund is a row of its
-- own, with negative amounts, known from its own day on. Amounts in base currency; additive within
-- one cutoff.
with orders as (
    select * from {{ ref('counted_orders') }}
),

refunds as (
    select
        store,
        order_id,
        refund_date,
        sum(product_base_amount) as product_base_amount
    from {{ ref('fct_refunds') }}
    group by store, order_id, refund_date
),

pieces as (
    select
        is_of_run,
        customer_key,
        order_date,
        known_date,
        gone_date,
        1 as order_count,
        line_count,
        coupon_count,
        gross_amount,
        discount_amount,
        net_amount
    from orders
    union all
    select
        orders.is_of_run,
        orders.customer_key,
        orders.order_date,
        greatest(orders.known_date, refunds.refund_date) as known_date,
        orders.gone_date,
        0 as order_count,
        0 as line_count,
        0 as coupon_count,
        0 as gross_amount,
        0 as discount_amount,
        -refunds.product_base_amount as net_amount
    from refunds
    inner join orders on refunds.store = orders.store and refunds.order_id = orders.order_id
),

final as (
    select
        is_of_run,
        customer_key,
        order_date,
        known_date,
        gone_date,
        cast(sum(order_count) as bigint) as order_count,
        cast(sum(line_count) as bigint) as line_count,
        cast(sum(coupon_count) as bigint) as coupon_order_count,
        {{ money('sum(gross_amount)') }} as gross_amount,
        {{ money('sum(discount_amount)') }} as discount_amount,
        {{ money('sum(net_amount)') }} as net_amount
    from pieces
    group by is_of_run, customer_key, order_date, known_date, gone_date
)

select * from final
