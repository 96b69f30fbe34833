{{ config(materialized='view') }}

-- Grain: profile that Customer.io is to delete, for an event sync: it deletes whoever has the event
-- `User Deleted`. Its `User Suppressed` would bar the id for good, and with it whoever comes back.
-- Empty unless the var `esp` is customerio.
with ops as (
    select * from {{ ref('esp_latest_ops') }}
    where '{{ var("esp") }}' = 'customerio' and op in ('delete', 'erase') and not is_overtaken
),

final as (
    select
        esp_id as userid,
        'User Deleted' as event,  -- noqa: RF04
        changed_at
    from ops
)

select * from final
