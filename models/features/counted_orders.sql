{{ config(materialized='view') }}

-- Grain: order that counted on some day, of a customer who may be profiled; once as the run knows
-- the customer (is_of_run), once as past days did. It counts at a cutoff after known_date and not
-- after gone_date: the day on which it was cancelled, refunded in full, or no longer known to be
-- theirs. Amounts in base currency, before refunds.
{%- set never = "date '9999-12-31'" %}
with orders as (
    select * from {{ ref('fct_orders') }}
    where not is_test
),

customers as (
    select * from {{ ref('profiled_customers') }}
),

dated_orders as (
    select * from {{ ref('fct_dated_orders') }}
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

attributed as (
    select
        true as is_of_run,
        store,
        order_id,
        customer_key,
        customer_key as current_key,
        order_date as known_date,
        {{ never }} as shared_date
    from orders
    where customer_key is not null
    union all
    select
        false as is_of_run,
        store,
        order_id,
        dated_key as customer_key,
        customer_key as current_key,
        known_date,
        coalesce(shared_date, {{ never }}) as shared_date
    from dated_orders
),

final as (
    select
        attributed.is_of_run,
        attributed.customer_key,
        attributed.store,
        attributed.order_id,
        orders.order_date,
        attributed.known_date,
        least(
            coalesce(orders.cancelled_date, {{ never }}),
            coalesce(emptied.emptied_date, {{ never }}),
            attributed.shared_date
        ) as gone_date,
        orders.line_count,
        case when orders.coupon_code is not null then 1 else 0 end as coupon_count,
        round({{ product_of('orders.gross_amount', 'orders.rate_to_base') }}, 4) as gross_amount,
        round({{ product_of('orders.discount_amount', 'orders.rate_to_base') }}, 4)
            as discount_amount,
        orders.product_base_amount as net_amount
    from attributed
    inner join orders
        on attributed.store = orders.store and attributed.order_id = orders.order_id
    inner join customers on attributed.current_key = customers.customer_key
    left join emptied on orders.store = emptied.store and orders.order_id = emptied.order_id
)

select * from final
