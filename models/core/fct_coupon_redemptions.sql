-- Grain: redemption of a coupon.
with redemptions as (
    select * from {{ ref('stg_shop__coupon_redemptions') }}
),

orders as (
    select * from {{ ref('int_orders_identified') }}
),

identifiers as (
    select * from {{ ref('int_identifiers_resolved') }}
    where identifier_type = 'customer_id'
),

campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

final as (
    select
        redemptions.store,
        redemptions.redemption_id,
        coalesce(identifiers.customer_key, orders.customer_key) as customer_key,
        orders.order_id,
        campaigns.campaign_key,
        redemptions.coupon_code,
        redemptions.redeemed_at,
        {{ local_date('redemptions.redeemed_at') }} as redeemed_date
    from redemptions
    left join orders
        on redemptions.store = orders.store and redemptions.order_id = orders.order_id
    left join identifiers
        on
            redemptions.store = identifiers.store
            and redemptions.customer_id = identifiers.identifier
    left join campaigns
        on
            redemptions.store = campaigns.store
            and redemptions.campaign_id = campaigns.campaign_id
)

select * from final
