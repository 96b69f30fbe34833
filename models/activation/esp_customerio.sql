{{ config(materialized='view') }}

-- Grain: profile for a people sync of Customer.io, whose columns become attributes by the names of
-- the seed esp_field_map. Two must be in small letters, which some engines take in quotes only.
-- Only who should be there is here: esp_customerio_unsubscribes and esp_customerio_deletes have the
-- others. Empty unless the var `esp` is customerio.
with ops as (
    select * from {{ ref('esp_latest_ops') }}
    where '{{ var("esp") }}' = 'customerio' and op = 'upsert'
),

final as (
    select
        esp_id as "id",  -- noqa: RF06
        email as "email",  -- noqa: RF06
        {{ json_at('payload', 'country_code', 'varchar') }} as country_code,
        {{ json_at('payload', 'discount_band', 'varchar') }} as discount_band,
        {{ json_at('payload', 'email_permission', 'varchar') }} as email_permission,
        {{ json_at('payload', 'engagement_tier', 'varchar') }} as engagement_tier,
        {{ json_at('payload', 'favourite_category', 'varchar') }} as favourite_category,
        {{ json_at('payload', 'first_name', 'varchar') }} as first_name,
        {{ json_at('payload', 'first_order_date', 'varchar') }} as first_order_date,
        {{ json_at('payload', 'is_buyer', 'boolean') }} as is_buyer,
        {{ json_at('payload', 'language', 'varchar') }} as language,
        {{ json_at('payload', 'lapse_risk_band', 'varchar') }} as lapse_risk_band,
        {{ json_at('payload', 'last_order_date', 'varchar') }} as last_order_date,
        {{ json_at('payload', 'lifecycle_stage', 'varchar') }} as lifecycle_stage,
        {{ json_at('payload', 'may_be_profiled', 'boolean') }} as may_be_profiled,
        {{ json_at('payload', 'net_revenue_band', 'varchar') }} as net_revenue_band,
        {{ json_at('payload', 'order_count_band', 'varchar') }} as order_count_band,
        {{ json_at('payload', 'persona', 'varchar') }} as persona,
        {{ json_at('payload', 'predicted_value_band', 'varchar') }} as predicted_value_band,
        {{ json_at('payload', 'purchase_band', 'varchar') }} as purchase_band,
        {{ json_at('payload', 'rfm_segment', 'varchar') }} as rfm_segment,
        change_seq as synced_change_seq
    from ops
)

select * from final
