{{ config(materialized='view') }}

-- Identifiers that are or lead to a record with a customer id. Whom they were known to stand for on
-- a past day: what becomes known later changes nothing here (docs/decisions/0031). Coarser than
-- dim_identifiers, which says who they stand for now.
with people as (
    select * from {{ ref('int_records_dated') }}
),

links as (
    select * from {{ ref('int_identifiers_linked') }}
),

-- The records that a row names together with the identifier.
direct as (
    select
        links.store,
        links.right_type as identifier_type,
        links.right_identifier as identifier,
        people.dated_key,
        min(people.customer_key) as customer_key,
        min(greatest(links.linked_at, coalesce(people.known_at, links.linked_at))) as linked_at
    from links
    inner join people
        on links.store = people.store and links.left_identifier = people.identifier
    where links.left_type = 'customer_id'
    group by links.store, links.right_type, links.right_identifier, people.dated_key
),

addresses as (
    select * from direct
    where identifier_type in ('email', 'phone')
    qualify
        row_number() over (
            partition by store, identifier_type, identifier order by linked_at, dated_key
        ) = 1
),

-- A contact or a device is also that of the person whose address it came with.
through_addresses as (
    select
        links.store,
        links.left_type as identifier_type,
        links.left_identifier as identifier,
        addresses.dated_key,
        addresses.customer_key,
        greatest(links.linked_at, addresses.linked_at) as linked_at
    from links
    inner join addresses
        on
            links.store = addresses.store
            and links.right_type = addresses.identifier_type
            and links.right_identifier = addresses.identifier
    where links.left_type = 'esp_contact_id'
    union all
    select
        links.store,
        links.right_type as identifier_type,
        links.right_identifier as identifier,
        addresses.dated_key,
        addresses.customer_key,
        greatest(links.linked_at, addresses.linked_at) as linked_at
    from links
    inner join addresses
        on
            links.store = addresses.store
            and links.left_type = addresses.identifier_type
            and links.left_identifier = addresses.identifier
    where links.right_type = 'anonymous_id'
),

contacts as (
    select * from (
        select * from direct
        union all
        select * from through_addresses
    ) as candidates
    where identifier_type = 'esp_contact_id'
    qualify
        row_number() over (
            partition by store, identifier_type, identifier order by linked_at, dated_key
        ) = 1
),

through_contacts as (
    select
        links.store,
        links.right_type as identifier_type,
        links.right_identifier as identifier,
        contacts.dated_key,
        contacts.customer_key,
        greatest(links.linked_at, contacts.linked_at) as linked_at
    from links
    inner join contacts
        on links.store = contacts.store and links.left_identifier = contacts.identifier
    where links.left_type = 'esp_contact_id' and links.right_type = 'anonymous_id'
),

device_candidates as (
    select
        store,
        identifier_type,
        identifier,
        dated_key,
        min(customer_key) as customer_key,
        min(linked_at) as linked_at
    from (
        select * from direct
        union all
        select * from through_addresses
        union all
        select * from through_contacts
    ) as candidates
    where identifier_type = 'anonymous_id'
    group by store, identifier_type, identifier, dated_key
),

-- A device is nobody's once a second person was seen on it.
devices as (
    select
        *,
        lead(linked_at) over (
            partition by store, identifier_type, identifier order by linked_at, dated_key
        ) as shared_at
    from device_candidates
    qualify
        row_number() over (
            partition by store, identifier_type, identifier order by linked_at, dated_key
        ) = 1
),

held as (
    select * from addresses
    union all by name
    select * from contacts
    union all by name
    select * from devices
    union all by name
    select
        store,
        'customer_id' as identifier_type,
        identifier,
        dated_key,
        customer_key,
        known_at as linked_at,
        case when origin = 'crm' then recorded_at end as signed_up_at
    from people
),

final as (
    select
        store,
        identifier_type,
        identifier,
        dated_key,
        customer_key,
        nullif(linked_at, timestamp '1900-01-01 00:00:00') as linked_at,
        shared_at,
        signed_up_at
    from held
)

select * from final
