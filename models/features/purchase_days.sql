{{ config(materialized='view') }}

-- Grain: customer, day of purchase, and span of days on which it is known and stands. An order
-- counts at a cutoff that lies after known_date and not after gone_date: the day on which it was
-- cancelled or refunded in full. A refund is a row of its own, with negative amounts, known from
-- its own day on. Amounts in base currency; additive within one cutoff.
with orders as (
    select * from {{ ref('fct_orders') }}
    where customer_key is not null and not is_test
),

customers as (
    select * from {{ ref('profiled_customers') }}
),

refunds as (
    select
        store,
        order_id,
        refund_date,
        sum(product_amount) as product_amount,
        sum(product_base_amount) as product_base_amount
    from {{ ref('fct_refunds') }}
    group by store, order_id, refund_date
),

refunded as (
    select
        *,
        sum(product_amount) over (
            partition by store, order_id order by refund_date
        ) as refunded_amount
    from refunds
),

emptied as (
    select
        refunded.store,
        refunded.order_id,
        min(refunded.refund_date) as emptied_date
    from refunded
    inner join orders
        on refunded.store = orders.store and refunded.order_id = orders.order_id
    where orders.product_amount > 0 and refunded.refunded_amount >= orders.product_amount
    group by refunded.store, refunded.order_id
),

spans as (
    select
        orders.customer_key,
        orders.store,
        orders.order_id,
        orders.order_date,
        least(
            coalesce(orders.cancelled_date, emptied.emptied_date),
            coalesce(emptied.emptied_date, orders.cancelled_date)
        ) as gone_date,
        orders.line_count,
        round({{ product_of('orders.gross_amount', 'orders.rate_to_base') }}, 4) as gross_amount,
        round({{ product_of('orders.discount_amount', 'orders.rate_to_base') }}, 4)
            as discount_amount,
        orders.product_base_amount as net_amount,
        case when orders.coupon_code is not null then 1 else 0 end as coupon_order_count
    from orders
    inner join customers on orders.customer_key = customers.customer_key
    left join emptied on orders.store = emptied.store and orders.order_id = emptied.order_id
),

pieces as (
    select
        customer_key,
        order_date,
        order_date as known_date,
        gone_date,
        1 as order_count,
        line_count,
        gross_amount,
        discount_amount,
        net_amount,
        coupon_order_count
    from spans
    union all
    select
        spans.customer_key,
        spans.order_date,
        refunds.refund_date as known_date,
        spans.gone_date,
        0 as order_count,
        0 as line_count,
        0 as gross_amount,
        0 as discount_amount,
        -refunds.product_base_amount as net_amount,
        0 as coupon_order_count
    from refunds
    inner join spans on refunds.store = spans.store and refunds.order_id = spans.order_id
),

branches as (
    select true as is_of_run
    union all
    select false as is_of_run
),

final as (
    select
        branches.is_of_run,
        customer_key,
        order_date,
        known_date,
        gone_date,
        sum(order_count) as order_count,
        sum(line_count) as line_count,
        {{ money('sum(gross_amount)') }} as gross_amount,
        {{ money('sum(discount_amount)') }} as discount_amount,
        {{ money('sum(net_amount)') }} as net_amount,
        sum(coupon_order_count) as coupon_order_count
    from pieces
    cross join branches
    group by branches.is_of_run, customer_key, order_date, known_date, gone_date
)

select * from final
