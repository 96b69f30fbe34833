{{ config(materialized='view') }}

-- Grain: customer. All of customer_profiles but what comes of segments: rules of own segments ask
-- for these columns, and the profile lists the segments. Ask the profile.
with customers as (
    select * from {{ ref('dim_customers') }}
),

contactability as (
    select * from {{ ref('customer_contactability') }}
),

-- A model that is switched off has a row of nobody.
profiled as (
    select
        customer_key,
        'unknown' as no_band
    from {{ ref('profiled_customers') }}
),

buyers as (
    select distinct customer_key from {{ ref('fct_orders') }}
    where is_valid
),

purchases as (
    select * from {{ ref('customer_purchase_summaries') }}
),

rfm as (
    select * from {{ ref('rfm_scores') }}
),

stages as (
    select * from {{ ref('lifecycle_stages') }}
),

fans as (
    select * from {{ ref('category_fans') }}
),

engagement as (
    select * from {{ ref('engagement_scores') }}
),

preferences as (
    select
        customer_key,
        max(case when preference_type = 'category' then preferred_value end) as preferred_category,
        max(case when preference_type = 'brand' then preferred_value end) as preferred_brand,
        max(case when preference_type = 'price_band' then preferred_value end)
            as preferred_price_band,
        max(case when preference_type = 'hour' then preferred_value end) as preferred_hour,
        max(case when preference_type = 'weekday' then preferred_value end) as preferred_weekday,
        max(case when preference_type = 'channel' then preferred_value end) as preferred_channel
    from {{ ref('customer_preferences') }}
    where preference_rank = 1
    group by customer_key
),

propensities as (
    select * from {{ ref('propensity_scores') }}
    where model_name = 'buys_30d'
),

lapse_risks as (
    select * from {{ ref('lapse_risk_scores') }}
    where model_name = 'lapses_30d'
),

predicted_values as (
    select * from {{ ref('lifetime_values') }}
    where horizon_days = 365
),

personas as (
    select * from {{ ref('customer_personas') }}
),

final as (
    select
        customers.customer_key,
        customers.store,
        customers.customer_id,
        customers.email,
        customers.first_name,
        customers.last_name,
        customers.country_code,
        customers.language,
        customers.signed_up_at,
        customers.origin = 'order' and customers.customer_id is null as is_guest,
        buyers.customer_key is not null as has_purchased,
        profiled.customer_key is not null as is_profiled,
        contactability.is_contactable,
        contactability.block_reason,
        contactability.permission_reason,
        purchases.order_count,
        purchases.first_order_date,
        purchases.last_order_date,
        purchases.days_since_last_order,
        purchases.mean_gap_days,
        purchases.net_revenue_amount,
        purchases.mean_order_amount,
        purchases.discount_rate,
        rfm.recency_score,
        rfm.frequency_score,
        rfm.monetary_score,
        rfm.segment_id as rfm_segment,
        stages.segment_id as lifecycle_stage,
        fans.category as favourite_category,
        engagement.engagement_score,
        engagement.engagement_tier,
        engagement.email_click_rate,
        preferences.preferred_category,
        preferences.preferred_brand,
        preferences.preferred_price_band,
        cast(preferences.preferred_hour as integer) as preferred_hour,
        cast(preferences.preferred_weekday as integer) as preferred_weekday,
        preferences.preferred_channel,
        propensities.score as purchase_score,
        coalesce(propensities.band, profiled.no_band) as purchase_band,
        lapse_risks.score as lapse_risk_score,
        coalesce(lapse_risks.band, profiled.no_band) as lapse_risk_band,
        predicted_values.predicted_value_amount as predicted_value_365d_amount,
        predicted_values.predicted_value_low_amount as predicted_value_365d_low_amount,
        predicted_values.predicted_value_high_amount as predicted_value_365d_high_amount,
        predicted_values.predicted_margin_amount as predicted_margin_365d_amount,
        coalesce(predicted_values.band, profiled.no_band) as predicted_value_band,
        {{ money(
            'purchases.net_revenue_amount + predicted_values.predicted_value_amount'
        ) }} as total_value_amount,
        predicted_values.expected_next_order_date,
        personas.persona_id,
        personas.persona_name
    from customers
    inner join contactability on customers.customer_key = contactability.customer_key
    left join profiled on customers.customer_key = profiled.customer_key
    left join buyers on customers.customer_key = buyers.customer_key
    left join purchases on customers.customer_key = purchases.customer_key
    left join rfm on customers.customer_key = rfm.customer_key
    left join stages on customers.customer_key = stages.customer_key
    left join fans on customers.customer_key = fans.customer_key
    left join engagement on customers.customer_key = engagement.customer_key
    left join preferences on customers.customer_key = preferences.customer_key
    left join propensities on customers.customer_key = propensities.customer_key
    left join lapse_risks on customers.customer_key = lapse_risks.customer_key
    left join predicted_values on customers.customer_key = predicted_values.customer_key
    left join personas on customers.customer_key = personas.customer_key
)

select * from final
