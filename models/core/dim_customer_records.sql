-- Grain: record of a customer in a source: CRM record, first order of an identifier, ESP contact.
with records as (
    select * from {{ ref('int_customer_keys_ranked') }}
),

identifiers as (
    select * from {{ ref('int_identifiers_resolved') }}
),

final as (
    select
        records.own_key,
        identifiers.customer_key,
        records.store,
        records.origin,
        records.record_id,
        records.identifier_type,
        records.identifier,
        records.recorded_at
    from records
    inner join identifiers
        on
            records.store = identifiers.store
            and records.identifier_type = identifiers.identifier_type
            and records.identifier = identifiers.identifier
)

select * from final
