{{ config(materialized='view') }}

-- Grain: profile for Klaviyo's import from a warehouse, a column per property of the seed
-- esp_field_map. It takes no list from a column. Only who should be there is here: suppressions and
-- deletions go by the API. Empty unless the var `esp` is klaviyo.
with ops as (
    select * from {{ ref('esp_latest_ops') }}
    where '{{ var("esp") }}' = 'klaviyo' and op = 'upsert'
),

final as (
    select
        esp_id as external_id,
        email,
        {{ json_at('payload', 'properties.country_code', 'varchar') }} as country_code,
        {{ json_at('payload', 'properties.discount_band', 'varchar') }} as discount_band,
        {{ json_at('payload', 'properties.email_permission', 'varchar') }} as email_permission,
        {{ json_at('payload', 'properties.engagement_tier', 'varchar') }} as engagement_tier,
        {{ json_at('payload', 'properties.favourite_category', 'varchar') }} as favourite_category,
        {{ json_at('payload', 'first_name', 'varchar') }} as first_name,
        {{ json_at('payload', 'properties.first_order_date', 'varchar') }} as first_order_date,
        {{ json_at('payload', 'properties.is_buyer', 'boolean') }} as is_buyer,
        {{ json_at('payload', 'properties.language', 'varchar') }} as language,
        {{ json_at('payload', 'properties.lapse_risk_band', 'varchar') }} as lapse_risk_band,
        {{ json_at('payload', 'properties.last_order_date', 'varchar') }} as last_order_date,
        {{ json_at('payload', 'properties.lifecycle_stage', 'varchar') }} as lifecycle_stage,
        {{ json_at('payload', 'properties.may_be_profiled', 'boolean') }} as may_be_profiled,
        {{ json_at('payload', 'properties.net_revenue_band', 'varchar') }} as net_revenue_band,
        {{ json_at('payload', 'properties.order_count_band', 'varchar') }} as order_count_band,
        {{ json_at('payload', 'properties.persona', 'varchar') }} as persona,
        {{ json_at('payload', 'properties.predicted_value_band', 'varchar') }}
            as predicted_value_band,
        {{ json_at('payload', 'properties.purchase_band', 'varchar') }} as purchase_band,
        {{ json_at('payload', 'properties.rfm_segment', 'varchar') }} as rfm_segment,
        change_seq as synced_change_seq,
        changed_at as modified_at
    from ops
)

select * from final
