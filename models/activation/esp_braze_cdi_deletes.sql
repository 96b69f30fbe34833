{{ config(materialized='view') }}

-- Grain: profile that Braze's Cloud Data Ingestion is to delete. It takes a table without payloads
-- for that. Empty unless the var `esp` is braze.
with ops as (
    select * from {{ ref('esp_latest_ops') }}
    where '{{ var("esp") }}' = 'braze' and op in ('delete', 'erase') and not is_overtaken
),

final as (
    select
        changed_at as updated_at,
        esp_id as external_id
    from ops
)

select * from final
