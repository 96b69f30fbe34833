{{ config(materialized='view') }}

-- Which raw identifiers belong to one person, both ways round. Reads the landing, because every
-- other staging model obeys what is found along these links; a view, so that they are not stored.
with customers as (
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

final as (
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
)

select * from final
