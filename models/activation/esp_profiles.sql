-- Grain: customer who may be written to; unique on customer_key and on email. What stands here is
-- what the e-mail platform should hold. No nulls, because a null clears nothing there: `none` and
-- `unknown` say so. Bands, stages and dates only, so that an idle customer's row does not change.
with profiles as (
    select * from {{ ref('customer_profiles') }}
    where is_contactable
),

bands as (
    select
        measure,
        band,
        from_value,
        coalesce(
            lead(from_value) over (partition by measure order by from_value), 1000000000000
        ) as below_value
    from {{ ref('esp_bands') }}
),

final as (
    select
        profiles.customer_key,
        profiles.email,
        coalesce(substr(profiles.first_name, 1, 255), '') as first_name,
        coalesce(profiles.country_code, 'unknown') as country_code,
        coalesce(substr(profiles.language, 1, 255), 'unknown') as language,
        profiles.permission_reason as email_permission,
        profiles.is_profiled as may_be_profiled,
        coalesce(profiles.lifecycle_stage, 'none') as lifecycle_stage,
        coalesce(profiles.rfm_segment, 'none') as rfm_segment,
        coalesce(profiles.engagement_tier, 'unknown') as engagement_tier,
        coalesce(profiles.is_profiled and profiles.order_count > 0, false) as is_buyer,
        coalesce(cast(profiles.first_order_date as varchar), 'none') as first_order_date,
        coalesce(cast(profiles.last_order_date as varchar), 'none') as last_order_date,
        coalesce(order_bands.band, 'none') as order_count_band,
        coalesce(revenue_bands.band, 'none') as net_revenue_band,
        coalesce(discount_bands.band, 'none') as discount_band,
        coalesce(substr(profiles.favourite_category, 1, 255), 'none') as favourite_category,
        coalesce(profiles.purchase_band, 'unknown') as purchase_band,
        coalesce(profiles.lapse_risk_band, 'unknown') as lapse_risk_band,
        coalesce(profiles.predicted_value_band, 'unknown') as predicted_value_band,
        coalesce(substr(profiles.persona_name, 1, 255), 'unknown') as persona,
        coalesce('["' || replace(profiles.segment_ids, ',', '", "') || '"]', '[]') as segments
    from profiles
    left join bands as order_bands
        on
            order_bands.measure = 'order_count'
            and profiles.order_count >= order_bands.from_value
            and profiles.order_count < order_bands.below_value
    left join bands as revenue_bands
        on
            revenue_bands.measure = 'net_revenue'
            and profiles.net_revenue_amount >= revenue_bands.from_value
            and profiles.net_revenue_amount < revenue_bands.below_value
    left join bands as discount_bands
        on
            discount_bands.measure = 'discount_rate'
            and profiles.discount_rate >= discount_bands.from_value
            and profiles.discount_rate < discount_bands.below_value
)

select * from final
