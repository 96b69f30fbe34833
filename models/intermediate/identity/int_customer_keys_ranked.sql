-- Every record that could give a customer its key, in the order in which they do: the oldest CRM
-- record, else the oldest order or ESP contact. Never an address. A record that came back after its
-- id was erased gives another key than before.
with identifiers as (
    select * from {{ ref('int_identifiers_grouped') }}
),

crm_records as (
    select * from {{ ref('stg_crm__customers') }}
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

contacts as (
    select * from {{ ref('stg_esp__contacts') }}
),

erased as (
    select * from {{ ref('stg_consent__erasure_requests') }}
),

-- The first order of whoever the orders name.
first_orders as (
    select
        store,
        order_id,
        ordered_at,
        {{ identifier_type(['customer_id', 'email', 'phone']) }} as identifier_type,
        coalesce(customer_id, email, phone) as identifier
    from orders
    where coalesce(customer_id, email, phone) is not null
    qualify
        row_number() over (
            partition by
                store,
                {{ identifier_type(['customer_id', 'email', 'phone']) }},
                coalesce(customer_id, email, phone)
            order by ordered_at, order_id
        ) = 1
),

records as (
    select
        store,
        'customer_id' as identifier_type,
        customer_id as identifier,
        'crm' as origin,
        customer_id as record_id,
        signed_up_at as recorded_at
    from crm_records
    union all
    select
        store,
        identifier_type,
        identifier,
        'order' as origin,
        order_id as record_id,
        ordered_at as recorded_at
    from first_orders
    union all
    select
        store,
        'esp_contact_id' as identifier_type,
        esp_contact_id as identifier,
        'contact' as origin,
        esp_contact_id as record_id,
        created_at as recorded_at
    from contacts
),

final as (
    select
        identifiers.person,
        records.store,
        records.origin,
        records.record_id,
        records.recorded_at,
        records.identifier_type,
        records.identifier,
        identifiers.linked_at,
        {{ customer_key_from(
            'records.origin', 'records.store', 'records.record_id', 'erased.requested_at'
        ) }} as own_key,
        row_number() over (
            partition by identifiers.person
            order by
                case when records.origin = 'crm' then 0 else 1 end asc,
                records.recorded_at asc nulls last,
                records.origin desc nulls last,
                records.record_id asc
        ) as key_rank
    from records
    inner join identifiers
        on
            records.store = identifiers.store
            and records.identifier_type = identifiers.identifier_type
            and records.identifier = identifiers.identifier
    left join erased
        on
            records.store = erased.store
            and records.origin in ('crm', 'contact')
            and records.identifier_type = erased.identifier_type
            and {{ erasure_hash('records.store', 'records.identifier_type', 'records.identifier') }}
            = erased.identifier_hash
)

select * from final
