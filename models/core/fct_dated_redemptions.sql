{{ config(materialized='view') }}

-- Grain: redemption of a coupon by somebody with a customer id, as it was known on past days. See
-- dim_dated_identifiers.
with redemptions as (
    select * from {{ ref('stg_shop__coupon_redemptions') }}
),

campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

identifiers as (
    select * from {{ ref('dim_dated_identifiers') }}
    where identifier_type = 'customer_id'
),

final as (
    select
        redemptions.store,
        redemptions.redemption_id,
        identifiers.dated_key,
        identifiers.customer_key,
        campaigns.campaign_key,
        {{ local_date('redemptions.redeemed_at') }} as redeemed_date,
        {{ local_date('identifiers.linked_at') }} as known_date
    from redemptions
    inner join identifiers
        on
            redemptions.store = identifiers.store
            and redemptions.customer_id = identifiers.identifier
    left join campaigns
        on
            redemptions.store = campaigns.store
            and redemptions.campaign_id = campaigns.campaign_id
)

select * from final
