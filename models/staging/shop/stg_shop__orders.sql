with orders as (
    select * from {{ ref('base_shop__orders') }}
),

final as (
    select
        -- ids
        store,
        order_id,
        customer_id,
        cart_id,

        -- contact
        email,
        phone,
        is_anonymised,

        -- status
        order_status,
        is_test,

        -- money
        currency,
        rate_to_base,
        is_tax_included,
        subtotal_amount,
        discount_amount,
        shipping_amount,
        tax_amount,
        gift_card_amount,
        total_amount,

        -- where it came from
        coupon_code,
        sales_channel,
        utm_source,
        utm_medium,
        utm_campaign,
        utm_content,

        -- times
        ordered_at,
        cancelled_at
    from orders
    where row_status = 'accepted'
)

select * from final
