{{ config(materialized='view') }}

-- Grain: change and request of Braze's API that carries it out (op). An attributes or an events
-- object of /users/track, an external id for /users/delete as a JSON string, a rename of
-- /users/external_ids/rename. An id that is an address is left out of deletions, unless Braze knows
-- people by their address. Empty unless the var `esp` is braze.
-- Users without an external id (a sign-up form, an import) need requests of their own: they are
-- given the one that is sent (identify), unsubscribed by their address (suppress_address), whether
-- or not an export shows them by now, unless somebody is sent there, and deleted by the id that
-- Braze gave them (erase_contact).
with ops as (
    select * from {{ ref('esp_latest_ops') }}
    where '{{ var("esp") }}' = 'braze'
),

identities as (
    select * from {{ ref('esp_identity') }}
    where esp = 'braze'
),

unnamed as (
    select email from {{ ref('dim_esp_contacts') }}
    group by email
    having count(external_id) = 0
),

erased_contacts as (
    select distinct identifier as esp_contact_id from {{ ref('esp_erasure_queue') }}
    where identifier_type = 'esp_contact_id' and identifier is not null
),

named as (
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
    left join erased_contacts on ops.esp_id = erased_contacts.esp_contact_id
    where
        ops.op not in ('delete', 'erase')
        or identities.identity = 'email'
        or (
            coalesce(ops.esp_id <> ops.email, true)
            and (erased_contacts.esp_contact_id is null or identities.identity = 'esp_contact_id')
        )
),

final as (
    select
        change_seq,
        op,
        payload
    from named
    union all
    select
        ops.change_seq,
        'identify' as op,
        '{"external_id": ' || {{ json_string('ops.esp_id') }}
        || ', "email": ' || {{ json_string('ops.email') }}
        || ', "prioritization": ["unidentified", "most_recently_updated"]}' as payload
    from ops
    inner join unnamed on ops.email = unnamed.email
    where ops.op = 'upsert'
    union all
    select
        ops.change_seq,
        'suppress_address' as op,
        {{ json_string('ops.email') }} as payload
    from ops
    left join ops as holders on ops.email = holders.email and holders.op = 'upsert'
    where ops.op = 'suppress' and ops.email is not null and holders.email is null
    union all
    select
        ops.change_seq,
        'erase_contact' as op,
        {{ json_string('ops.esp_id') }} as payload
    from ops
    inner join erased_contacts on ops.esp_id = erased_contacts.esp_contact_id
    where ops.op = 'erase'
)

select * from final
