with redemptions as (
    select * from {{ ref('base_shop__coupon_redemptions') }}
),

final as (
    select
        -- ids
        store,
        redemption_id,
        customer_id,
        order_id,
        campaign_id,

        -- what was redeemed
        coupon_code,

        -- times
        redeemed_at
    from redemptions
    where row_status = 'accepted'
)

select * from final
