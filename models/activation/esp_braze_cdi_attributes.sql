{{ config(materialized='view') }}

-- Grain: profile for Braze's Cloud Data Ingestion, which reads rows whose UPDATED_AT is new: only
-- what changed has a new one. Empty unless the var `esp` is braze.
with ops as (
    select * from {{ ref('esp_latest_ops') }}
    where '{{ var("esp") }}' = 'braze' and op in ('upsert', 'suppress')
),

final as (
    select
        changed_at as updated_at,
        esp_id as external_id,
        case
            when op = 'suppress' then '{"email_subscribe": "unsubscribed"}'
            else
                '{"email": ' || {{ json_string('email') }} || ', '
                || substr(payload, 2, length(payload) - 2)
                || ', "synced_change_seq": ' || cast(change_seq as varchar) || '}'
        end as payload
    from ops
)

select * from final
