-- Orders with the person they belong to, and the shop's calendar days.
with orders as (
    select * from {{ ref('stg_shop__orders') }}
),

identifiers as (
    select * from {{ ref('int_identifiers_resolved') }}
),

final as (
    select
        orders.store,
        orders.order_id,
        identifiers.customer_key,
        orders.is_anonymised,
        orders.order_status,
        orders.is_test,
        orders.order_status = 'cancelled' as is_cancelled,
        not orders.is_test and orders.order_status <> 'cancelled' as is_valid,
        orders.ordered_at,
        {{ local_date('orders.ordered_at') }} as order_date,
        cast(extract(hour from {{ local_time('orders.ordered_at') }}) as integer) as order_hour,
        orders.cancelled_at,
        {{ local_date('orders.cancelled_at') }} as cancelled_date,
        orders.currency,
        orders.rate_to_base,
        orders.is_tax_included,
        orders.shipping_amount,
        orders.tax_amount,
        orders.gift_card_amount,
        orders.total_amount,
        orders.coupon_code,
        orders.sales_channel,
        orders.cart_id,
        orders.utm_source,
        orders.utm_medium,
        orders.utm_campaign,
        orders.utm_content
    from orders
    left join identifiers
        on
            orders.store = identifiers.store
            and identifiers.identifier_type
            = {{ identifier_type(['orders.customer_id', 'orders.email']) }}
            and coalesce(orders.customer_id, orders.email) = identifiers.identifier
)

select * from final
