-- Asked of the permissions again, not of profiled_customers.
with forbidden as (
    select customers.customer_key
    from {{ ref('dim_customers') }} as customers
    left join {{ ref('fct_permissions') }} as permissions
        on
            customers.customer_key = permissions.customer_key
            and permissions.purpose = 'profiling'
            and permissions.is_permitted
    where permissions.customer_key is null
)

{%- for model in [
    'customer_orders', 'customer_purchase_days', 'customer_purchase_summaries', 'rfm_scores',
    'lifecycle_stages', 'category_purchases', 'category_fans', 'segment_memberships',
    'engagement_days', 'engagement_points', 'engagement_scores', 'email_responses',
    'trackable_customers', 'abandoned_carts', 'unbought_products', 'product_interests',
    'activity_hours', 'preference_points', 'stated_preferences', 'customer_preferences',
    'propensity_scores', 'lapse_risk_scores', 'lifetime_values', 'customer_personas',
    'score_reasons', 'predicted_members', 'rule_members', 'custom_members',
] %}
select
    '{{ model }}' as model_name,
    scored.customer_key
from {{ ref(model) }} as scored
inner join forbidden on scored.customer_key = forbidden.customer_key
union all
{%- endfor %}
-- History is kept under every key that somebody had.
select
    'segment_spells' as model_name,
    spells.customer_key
from {{ ref('segment_spells') }} as spells
left join {{ record_keys() }} as records on spells.customer_key = records.record_key
inner join forbidden
    on coalesce(records.customer_key, spells.customer_key) = forbidden.customer_key
union all
select
    'customer_profiles' as model_name,
    scored.customer_key
from {{ ref('customer_profiles') }} as scored
inner join forbidden on scored.customer_key = forbidden.customer_key
where
    scored.is_profiled
    or scored.lifecycle_stage is not null
    or scored.rfm_segment is not null
    or scored.order_count is not null
    or scored.engagement_score is not null
    or scored.email_click_rate is not null
    or scored.preferred_category is not null
    or scored.preferred_brand is not null
    or scored.preferred_price_band is not null
    or scored.preferred_hour is not null
    or scored.preferred_weekday is not null
    or scored.preferred_channel is not null
    or scored.segment_ids is not null
    or scored.purchase_band is not null
    or scored.lapse_risk_band is not null
    or scored.predicted_value_band is not null
    or scored.total_value_amount is not null
    or scored.expected_next_order_date is not null
    or scored.persona_name is not null
union all
select
    'esp_profiles' as model_name,
    scored.customer_key
from {{ ref('esp_profiles') }} as scored
inner join forbidden on scored.customer_key = forbidden.customer_key
where
    scored.may_be_profiled
    or scored.is_buyer
    or scored.lifecycle_stage <> 'none'
    or scored.rfm_segment <> 'none'
    or scored.engagement_tier <> 'unknown'
    or scored.last_order_date <> 'none'
    or scored.net_revenue_band <> 'none'
    or scored.purchase_band <> 'unknown'
    or scored.lapse_risk_band <> 'unknown'
    or scored.predicted_value_band <> 'unknown'
    or scored.persona <> 'unknown'
