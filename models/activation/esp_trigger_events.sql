{{ config(materialized='view') }}

-- Grain: trigger that fired and whose message is still wanted: the cause stands, the customer may
-- be written to, and it is not too late. trigger_key is the key by which the ESP knows a message
-- that it has had.
with fired as (
    select * from {{ ref('trigger_log') }}
),

standing as (
    select * from {{ ref('trigger_events') }}
),

payloads as (
    select * from {{ ref('esp_payloads') }}
),

final as (
    select
        fired.trigger_key,
        fired.trigger_type,
        payloads.customer_key,
        fired.occurred_at,
        fired.fired_at,
        fired.expires_at,
        {{ json_text([
            ['context', 'fired.context', false],
            ['expires_at', iso_text('fired.expires_at'), true],
            ['occurred_at', iso_text('fired.occurred_at'), true],
            ['segment_id', "coalesce(fired.segment_id, 'none')", true],
            ['trigger_key', 'fired.trigger_key', true],
        ]) }} as payload
    from fired
    inner join standing on fired.trigger_key = standing.trigger_key
    inner join payloads on standing.customer_key = payloads.customer_key
)

select * from final
