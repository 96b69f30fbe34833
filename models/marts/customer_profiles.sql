-- Grain: customer, guests and leads included. Start here. What profiling yields is null for people
-- who may not be profiled (is_profiled) and for people who never bought.
with descriptions as (
    select * from {{ ref('customer_descriptions') }}
),

-- The shop's own attributes, sensitive ones included; what rules and payloads may take of them is
-- decided where they do.
attributes as (
    select
        customer_key,
        '{' || {{ dbt.listagg(
            "'\"' || attribute_name || '\": ' || case when attribute_type in ('number', 'boolean')"
            ~ " then attribute_value else " ~ json_string('attribute_value') ~ " end",
            "', '", 'order by attribute_name',
        ) }} || '}' as custom_attributes
    from {{ ref('dim_customer_attributes') }}
    group by customer_key
),

memberships as (
    select
        customer_key,
        {{ dbt.listagg('segment_id', "','", 'order by segment_id') }} as segment_ids
    from {{ ref('segment_memberships') }}
    group by customer_key
),

final as (
    select
        descriptions.customer_key,
        descriptions.store,
        descriptions.customer_id,
        descriptions.email,
        descriptions.first_name,
        descriptions.last_name,
        descriptions.country_code,
        descriptions.language,
        descriptions.signed_up_at,
        descriptions.is_guest,
        descriptions.has_purchased,
        descriptions.is_profiled,
        descriptions.is_contactable,
        descriptions.block_reason,
        descriptions.permission_reason,
        descriptions.order_count,
        descriptions.first_order_date,
        descriptions.last_order_date,
        descriptions.days_since_last_order,
        descriptions.mean_gap_days,
        descriptions.net_revenue_amount,
        descriptions.mean_order_amount,
        descriptions.discount_rate,
        descriptions.recency_score,
        descriptions.frequency_score,
        descriptions.monetary_score,
        descriptions.rfm_segment,
        descriptions.lifecycle_stage,
        descriptions.favourite_category,
        descriptions.engagement_score,
        descriptions.engagement_tier,
        descriptions.email_click_rate,
        descriptions.preferred_category,
        descriptions.preferred_brand,
        descriptions.preferred_price_band,
        descriptions.preferred_hour,
        descriptions.preferred_weekday,
        descriptions.preferred_channel,
        descriptions.purchase_score,
        descriptions.purchase_band,
        descriptions.lapse_risk_score,
        descriptions.lapse_risk_band,
        descriptions.predicted_value_365d_amount,
        descriptions.predicted_value_365d_low_amount,
        descriptions.predicted_value_365d_high_amount,
        descriptions.predicted_margin_365d_amount,
        descriptions.predicted_value_band,
        descriptions.total_value_amount,
        descriptions.expected_next_order_date,
        descriptions.persona_id,
        descriptions.persona_name,
        memberships.segment_ids,
        attributes.custom_attributes
    from descriptions
    left join memberships on descriptions.customer_key = memberships.customer_key
    left join attributes on descriptions.customer_key = attributes.customer_key
)

select * from final
