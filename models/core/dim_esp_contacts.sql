-- Grain: contact that the ESP holds by its newest export. Contacts that it has
-- merged into another, and those of erased people, are left out.
with contacts as (
    select * from {{ ref('stg_esp__contacts') }}
),

identifiers as (
    select * from {{ ref('int_identifiers_resolved') }}
    where identifier_type = 'esp_contact_id'
),

our_keys as (
    select distinct own_key from {{ ref('int_customer_keys_ranked') }}
),

kinds as (
    select * from {{ ref('stg_consent__contact_exports') }}
),

exports as (
    select
        store,
        max(loaded_at) as exported_at
    from contacts
    group by store
),

final as (
    select
        contacts.store,
        contacts.esp_contact_id,
        identifiers.customer_key,
        contacts.email,
        contacts.external_id,
        our_keys.own_key is not null as is_our_key,
        coalesce(contacts.is_subscribed, false) as is_subscribed,
        contacts.is_suppressed,
        contacts.synced_change_seq,
        contacts.created_at,
        coalesce(exports.exported_at, {{ as_of_at() }}) as exported_at,
        coalesce(kinds.export_kind, 'undated') as export_kind
    from contacts
    inner join exports
        on
            contacts.store = exports.store
            and contacts.loaded_at is not distinct from exports.exported_at
    left join kinds on contacts.store = kinds.store
    left join identifiers
        on
            contacts.store = identifiers.store
            and contacts.esp_contact_id = identifiers.identifier
    left join our_keys on contacts.external_id = our_keys.own_key
    where contacts.merged_into_contact_id is null
)

select * from final
