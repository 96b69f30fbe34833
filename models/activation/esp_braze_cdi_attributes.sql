{{ config(materialized='view') }}

-- Grain: profile for Braze's Cloud Data Ingestion, which reads rows whose UPDATED_AT is new: only
-- what changed has a new one. A user without an external id is unsubscribed by the id that Braze
-- gave it, also one that came after the row, unless somebody is sent at the address. Empty unless
-- the var `esp` is braze.
with ops as (
    select * from {{ ref('esp_latest_ops') }}
    where '{{ var("esp") }}' = 'braze' and op in ('upsert', 'suppress')
),

unnamed as (
    select distinct
        esp_contact_id,
        email,
        created_at
    from {{ ref('dim_esp_contacts') }}
    where external_id is null
),

final as (
    select
        changed_at as updated_at,
        esp_id as external_id,
        cast(null as varchar) as braze_id,
        case
            when op = 'suppress' then '{"email_subscribe": "unsubscribed"}'
            else
                '{"email": ' || {{ json_string('email') }} || ', '
                || substr(payload, 2, length(payload) - 2)
                || ', "synced_change_seq": ' || cast(change_seq as varchar) || '}'
        end as payload
    from ops
    union all
    select
        greatest(ops.changed_at, coalesce(unnamed.created_at, ops.changed_at)) as updated_at,
        null as external_id,
        unnamed.esp_contact_id as braze_id,
        '{"email_subscribe": "unsubscribed"}' as payload
    from ops
    inner join unnamed on ops.email = unnamed.email
    left join ops as holders on ops.email = holders.email and holders.op = 'upsert'
    where ops.op = 'suppress' and holders.email is null
)

select * from final
