{{ config(materialized='view') }}

-- Grain: change as Klaviyo's API takes it: an object of a bulk import (upsert, merge), a profile to
-- suppress, a deletion job, or a create-event request. Klaviyo deletes by address, so that what has
-- none is left out. It joins no profiles by our ids: the address that lives on gets the new id.
-- Empty unless the var `esp` is klaviyo.
with ops as (
    select * from {{ ref('esp_latest_ops') }}
    where '{{ var("esp") }}' = 'klaviyo' and email is not null
),

-- A merge whose profile has moved to another address since is done with the upsert.
needed as (
    select
        ops.*,
        '"email": ' || {{ json_string('ops.email') }} as email_member,
        case
            when coalesce(ops.new_esp_id, ops.esp_id) = ops.email then ''
            else ', "external_id": ' || {{ json_string('coalesce(ops.new_esp_id, ops.esp_id)') }}
        end as id_member
    from ops
    left join ops as targets
        on
            ops.new_esp_id = targets.esp_id
            and ops.email = targets.email
            and targets.op = 'upsert'
    where ops.op <> 'merge' or targets.esp_id is not null
),

final as (
    select
        change_seq,
        op,
        case
            -- Our number goes into the properties, whose object the payload ends with.
            when op = 'upsert'
                then
                    '{"type": "profile", "attributes": {' || email_member || id_member || ', '
                    || substr(payload, 2, length(payload) - 3)
                    || ', "synced_change_seq": ' || cast(change_seq as varchar) || '}}}'
            when op = 'merge'
                then '{"type": "profile", "attributes": {' || email_member || id_member || '}}'
            when op = 'suppress'
                then '{"type": "profile", "attributes": {' || email_member || '}}'
            when op = 'event'
                then
                    '{"data": {"type": "event", "attributes": {"properties": ' || payload
                    || ', "time": '
                    || {{ json_string(json_at('payload', 'occurred_at', 'varchar')) }}
                    || ', "unique_id": ' || {{ json_string('payload_hash') }}
                    || ', "metric": {"data": {"type": "metric", "attributes": {"name": '
                    || {{ json_string('reason') }} || '}}}'
                    || ', "profile": {"data": {"type": "profile", "attributes": {'
                    || email_member || id_member || '}}}}}}'
            else
                '{"data": {"type": "data-privacy-deletion-job", "attributes": {"profile": '
                || '{"data": {"type": "profile", "attributes": {' || email_member || '}}}}}}'
        end as payload
    from needed
)

select * from final
