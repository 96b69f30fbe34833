-- One row per order. It happened when it was processed: an order that was moved from another shop
-- was created on the day of the move. Voided is a payment that never came.
with orders as (
    select * from {{ raw('order') }}
),

shipping as (
    select
        order_id,
        sum(discounted_price) as shipping_amount
    from {{ raw('order_shipping_line') }}
    group by order_id
),

gift_cards as (
    select
        order_id,
        sum(amount) as gift_card_amount
    from {{ raw('transaction') }}
    where
        gateway = 'gift_card'
        and lower(status) = 'success'
        and lower(kind) in ('sale', 'capture')
    group by order_id
),

coupons as (
    select
        order_id,
        code
    from {{ raw('order_discount_code') }}
    qualify row_number() over (
        partition by order_id
        order by index nulls last, code
    ) = 1
),

tags as (
    select
        order_id,
        max(case when key = 'utm_source' then value end) as utm_source,
        max(case when key = 'utm_medium' then value end) as utm_medium,
        max(case when key = 'utm_campaign' then value end) as utm_campaign,
        max(case when key = 'utm_content' then value end) as utm_content
    from {{ raw('order_url_tag') }}
    group by order_id
)

select
    orders.id as order_id,
    orders.customer_id,
    orders.email,
    orders.phone,
    case
        when orders.cancelled_at is not null or lower(orders.financial_status) = 'voided'
            then 'cancelled'
        when lower(orders.fulfillment_status) = 'fulfilled' then 'fulfilled'
        when
            lower(orders.financial_status)
            in ('paid', 'partially_paid', 'partially_refunded', 'refunded')
            then 'paid'
        else 'placed'
    end as order_status,
    orders.test as is_test,
    coalesce(orders.processed_at, orders.created_at) as ordered_at,
    orders.cancelled_at,
    orders.currency,
    orders.taxes_included as is_tax_included,
    orders.subtotal_price as subtotal_amount,
    orders.total_discounts as discount_amount,
    coalesce(
        shipping.shipping_amount,
        orders.total_shipping_price_set_shop_amount,
        cast({{ json_text('orders.total_shipping_price_set', 'shop_money.amount') }} as decimal(18, 4))
    ) as shipping_amount,
    orders.total_tax as tax_amount,
    gift_cards.gift_card_amount,
    orders.total_price as total_amount,
    coupons.code as coupon_code,
    case
        when orders.source_name in ('web', 'pos') then orders.source_name
        when orders.source_name in ('iphone', 'android', 'mobile_app') then 'app'
        when orders.source_name like 'subscription_contract%' then 'subscription'
    end as sales_channel,
    orders.cart_token as cart_id,
    tags.utm_source,
    tags.utm_medium,
    tags.utm_campaign,
    tags.utm_content,
    orders.updated_at,
    orders._fivetran_synced as loaded_at,
    case when orders._fivetran_deleted then orders._fivetran_synced end as deleted_at
from orders
left join shipping on orders.id = shipping.order_id
left join gift_cards on orders.id = gift_cards.order_id
left join coupons on orders.id = coupons.order_id
left join tags on orders.id = tags.order_id
