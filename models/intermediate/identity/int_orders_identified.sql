-- Orders with the person they belong to, and the shop's calendar days.
with orders as (
    select * from {{ ref('stg_shop__orders') }}
),

-- Whoever left no name is known by the device that the order was placed on.
devices as (
    select
        store,
        order_id,
        anonymous_id
    from {{ ref('int_visitors_linked') }}
    where order_id is not null and anonymous_id is not null
    qualify
        row_number() over (partition by store, order_id order by linked_at, anonymous_id) = 1
),

placed as (
    select
        orders.*,
        devices.anonymous_id
    from orders
    left join devices
        on
            orders.store = devices.store
            and orders.order_id = devices.order_id
            and not orders.is_anonymised
),

final as (
    select
        placed.store,
        placed.order_id,
        {{ resolved_customer_key(['customer_id', 'email', 'phone', 'anonymous_id']) }}
            as customer_key,
        placed.is_anonymised,
        placed.order_status,
        placed.is_test,
        placed.order_status = 'cancelled' as is_cancelled,
        not placed.is_test and placed.order_status <> 'cancelled' as is_valid,
        placed.ordered_at,
        {{ local_date('placed.ordered_at') }} as order_date,
        cast(extract(hour from {{ local_time('placed.ordered_at') }}) as integer) as order_hour,
        placed.cancelled_at,
        {{ local_date('placed.cancelled_at') }} as cancelled_date,
        placed.currency,
        placed.rate_to_base,
        placed.is_tax_included,
        placed.shipping_amount,
        placed.tax_amount,
        placed.gift_card_amount,
        placed.total_amount,
        placed.coupon_code,
        placed.sales_channel,
        placed.cart_id,
        placed.utm_source,
        placed.utm_medium,
        placed.utm_campaign,
        placed.utm_content
    from placed
    {{ resolved_customer_joins('placed', ['customer_id', 'email', 'phone', 'anonymous_id']) }}
)

select * from final
