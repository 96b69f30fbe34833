{{ config(materialized='view') }}

-- Grain: profile that Braze's Cloud Data Ingestion is to delete, by its external id or by the id
-- that Braze gave it. It takes a table without payloads for that. Empty unless the var `esp` is
-- braze.
with requests as (
    select * from {{ ref('esp_braze') }}
    where op in ('delete', 'erase', 'erase_contact')
),

ops as (
    select * from {{ ref('esp_latest_ops') }}
    where not is_overtaken
),

final as (
    select
        ops.changed_at as updated_at,
        case when requests.op <> 'erase_contact' then ops.esp_id end as external_id,
        case when requests.op = 'erase_contact' then ops.esp_id end as braze_id
    from requests
    inner join ops on requests.change_seq = ops.change_seq
)

select * from final
