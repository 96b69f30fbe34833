-- The person behind every identifier: a customer id of the group, or, of people without one, an
-- identifier of theirs. A device that several people use has no row.
with people as (
    select * from {{ ref('int_records_merged') }}
),

held as (
    select * from {{ ref('int_identifiers_held') }}
),

joined as (
    select * from {{ ref('int_addresses_joined') }}
),

links as (
    select * from {{ ref('int_identifiers_linked') }}
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

contacts as (
    select * from {{ ref('stg_esp__contacts') }}
),

-- Everything that is no customer id and no device, named together with something else or not.
addresses as (
    select
        store,
        left_type as identifier_type,
        left_identifier as identifier
    from links
    where left_type <> 'customer_id'
    union
    select
        store,
        right_type as identifier_type,
        right_identifier as identifier
    from links
    where right_type <> 'anonymous_id'
    union
    select
        store,
        'email' as identifier_type,
        email as identifier
    from orders
    where email is not null
    union
    select
        store,
        'phone' as identifier_type,
        phone as identifier
    from orders
    where phone is not null
    union
    select
        store,
        'esp_contact_id' as identifier_type,
        esp_contact_id as identifier
    from contacts
),

grouped_addresses as (
    select
        addresses.store,
        addresses.identifier_type,
        addresses.identifier,
        coalesce(
            held.person,
            joined.person,
            {{ identifier_node(
                'addresses.store', 'addresses.identifier_type', 'addresses.identifier'
            ) }}
        ) as person,
        coalesce(held.linked_at, joined.linked_at, timestamp '1900-01-01 00:00:00') as linked_at,
        coalesce(held.is_shared, false) as is_shared
    from addresses
    left join held
        on
            addresses.store = held.store
            and addresses.identifier_type = held.identifier_type
            and addresses.identifier = held.identifier
    left join joined
        on
            joined.node
            = {{ identifier_node(
                'addresses.store', 'addresses.identifier_type', 'addresses.identifier'
            ) }}
),

-- A device that came with no customer id is that of the one person whose addresses it came with.
grouped_devices as (
    select
        links.store,
        links.right_type as identifier_type,
        links.right_identifier as identifier,
        min(grouped_addresses.person) as person,
        min(greatest(links.linked_at, grouped_addresses.linked_at)) as linked_at,
        false as is_shared
    from links
    inner join grouped_addresses
        on
            links.store = grouped_addresses.store
            and links.left_type = grouped_addresses.identifier_type
            and links.left_identifier = grouped_addresses.identifier
    left join held
        on
            links.store = held.store
            and links.right_type = held.identifier_type
            and links.right_identifier = held.identifier
    where links.right_type = 'anonymous_id' and held.identifier is null
    group by links.store, links.right_type, links.right_identifier
    having
        min(grouped_addresses.person) = max(grouped_addresses.person)
        and not {{ dbt.bool_or('grouped_addresses.is_shared') }}
),

final as (
    select
        store,
        'customer_id' as identifier_type,
        customer_id as identifier,
        person,
        coalesce(linked_at, timestamp '1900-01-01 00:00:00') as linked_at,
        false as is_shared
    from people
    union all
    select * from grouped_addresses
    union all
    select
        store,
        identifier_type,
        identifier,
        person,
        linked_at,
        is_shared
    from held
    where identifier_type = 'anonymous_id' and person is not null
    union all
    select * from grouped_devices
)

select * from final
