{{ config(materialized='view') }}

-- Grain: change as Braze's API takes it: an attributes or an events object of /users/track, an
-- external id for /users/delete as a JSON string, or a rename of /users/external_ids/rename. An id
-- that is an address is left out of deletions, unless Braze knows people by their address. Empty
-- unless the var `esp` is braze.
with ops as (
    select * from {{ ref('esp_latest_ops') }}
    where '{{ var("esp") }}' = 'braze'
),

identities as (
    select * from {{ ref('esp_identity') }}
    where esp = 'braze'
),

final as (
    select
        ops.change_seq,
        ops.op,
        case
            when ops.op = 'upsert'
                then
                    '{"external_id": ' || {{ json_string('ops.esp_id') }}
                    || ', "email": ' || {{ json_string('ops.email') }} || ', '
                    || substr(ops.payload, 2, length(ops.payload) - 2)
                    || ', "synced_change_seq": ' || cast(ops.change_seq as varchar) || '}'
            when ops.op = 'suppress'
                then
                    '{"external_id": ' || {{ json_string('ops.esp_id') }}
                    || ', "email_subscribe": "unsubscribed", "_update_existing_only": true}'
            when ops.op = 'merge'
                then
                    '{"current_external_id": ' || {{ json_string('ops.esp_id') }}
                    || ', "new_external_id": ' || {{ json_string('ops.new_esp_id') }} || '}'
            when ops.op = 'event'
                then
                    '{"external_id": ' || {{ json_string('ops.esp_id') }}
                    || ', "name": ' || {{ json_string('ops.reason') }}
                    || ', "time": '
                    || {{ json_string(json_at('ops.payload', 'occurred_at', 'varchar')) }}
                    || ', "properties": ' || ops.payload || '}'
            else {{ json_string('ops.esp_id') }}
        end as payload
    from ops
    cross join identities
    where
        ops.op not in ('delete', 'erase')
        or identities.identity = 'email'
        or coalesce(ops.esp_id <> ops.email, true)
)

select * from final
