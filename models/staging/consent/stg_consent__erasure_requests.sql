-- Every identifier of a person who asked to be erased, found by walking the pairs of identifiers
-- in the raw rows. Every other staging model obeys this one, so it reads the landing, not them.
with recursive requests as (
    select * from {{ ref('base_consent__erasure_requests') }}
    where row_status = 'accepted'
),

customers as (
    select * from {{ landing('crm', 'crm_customers') }}
),

contacts as (
    select * from {{ landing('esp', 'esp_contacts') }}
),

orders as (
    select
        store,
        customer_id,
        email,
        min(ordered_at) as ordered_at
    from {{ landing('shop', 'shop_orders') }}
    where customer_id is not null and email is not null
    group by store, customer_id, email
),

addresses as (
    select
        store,
        customer_id,
        coalesce(merged_into_customer_id, customer_id) as person_id,
        {{ clean_email('email') }} as email,
        signed_up_at as held_since
    from customers
    where customer_id is not null and email is not null
    union all
    select
        store,
        customer_id,
        customer_id as person_id,
        {{ clean_email('email') }} as email,
        ordered_at as held_since
    from orders
),

people_at_addresses as (
    select
        store,
        email,
        person_id,
        min(coalesce(held_since, timestamp '1990-01-01 00:00:00')) as held_since
    from addresses
    group by store, email, person_id
),

-- From when on an address has several people. It then says nothing about who they are: the walk
-- from one person's id does not pass through it to the others.
shared_addresses as (
    select
        store,
        email,
        held_since as shared_since
    from people_at_addresses
    qualify
        row_number() over (partition by store, email order by held_since, person_id) = 2
),

pairs as (
    select
        addresses.store,
        'customer_id' as left_type,
        addresses.customer_id as left_id,
        'email' as right_type,
        addresses.email as right_id,
        shared_addresses.shared_since
    from addresses
    left join shared_addresses
        on addresses.store = shared_addresses.store and addresses.email = shared_addresses.email
    union all
    select
        store,
        'customer_id' as left_type,
        customer_id as left_id,
        'customer_id' as right_type,
        merged_into_customer_id as right_id,
        null as shared_since
    from customers
    where customer_id is not null and merged_into_customer_id is not null
    union all
    select
        store,
        'esp_contact_id' as left_type,
        esp_contact_id as left_id,
        'email' as right_type,
        {{ clean_email('email') }} as right_id,
        null as shared_since
    from contacts
    where esp_contact_id is not null and email is not null
    union all
    select
        contacts.store,
        'esp_contact_id' as left_type,
        contacts.esp_contact_id as left_id,
        'customer_id' as right_type,
        contacts.external_id as right_id,
        null as shared_since
    from contacts
    inner join customers
        on contacts.store = customers.store and contacts.external_id = customers.customer_id
    where contacts.esp_contact_id is not null
),

links as (
    select * from pairs
    union all
    select
        store,
        right_type as left_type,
        right_id as left_id,
        left_type as right_type,
        left_id as right_id,
        shared_since
    from pairs
),

walked as (
    select
        store,
        requested_at,
        'customer_id' as identifier_type,
        customer_id as identifier
    from requests
    where customer_id is not null
    union
    select
        store,
        requested_at,
        'email' as identifier_type,
        email as identifier
    from requests
    where email is not null
    -- `union` drops what was found before, so that the walk ends on any graph.
    union
    select
        walked.store,
        walked.requested_at,
        links.right_type as identifier_type,
        links.right_id as identifier
    from walked
    inner join links
        on
            walked.store = links.store
            and walked.identifier_type = links.left_type
            and walked.identifier = links.left_id
            and coalesce(walked.requested_at < links.shared_since, true)
),

final as (
    select
        store,
        identifier_type,
        identifier,
        max(requested_at) as requested_at
    from walked
    group by store, identifier_type, identifier
)

select * from final
