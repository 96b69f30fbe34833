{{ config(materialized='view') }}

-- Grain: profile that Customer.io may not write to any more, for a people sync of its own: the id,
-- the attribute by which Customer.io knows it, and nothing else. No row takes it back, since a
-- re-subscription is not for the warehouse to say. Empty unless the var `esp` is customerio.
with ops as (
    select * from {{ ref('esp_latest_ops') }}
    where '{{ var("esp") }}' = 'customerio' and op = 'suppress'
),

final as (
    select
        esp_id as "id",  -- noqa: RF06
        true as unsubscribed,
        changed_at
    from ops
)

select * from final
