{{ config(materialized='view') }}

-- Grain: profile that Braze's Cloud Data Ingestion is to delete. It takes a table without payloads
-- for that. Addresses are left out, as in esp_braze. Empty unless the var `esp` is braze.
with ops as (
    select * from {{ ref('esp_latest_ops') }}
    where '{{ var("esp") }}' = 'braze' and op in ('delete', 'erase') and not is_overtaken
),

identities as (
    select * from {{ ref('esp_identity') }}
    where esp = 'braze'
),

final as (
    select
        ops.changed_at as updated_at,
        ops.esp_id as external_id
    from ops
    cross join identities
    where identities.identity = 'email' or coalesce(ops.esp_id <> ops.email, true)
)

select * from final
