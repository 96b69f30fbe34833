{{ config(materialized='view') }}

-- Every two identifiers that one raw row names together, and since when. Reads the landing, because
-- every other staging model obeys what is found along these pairs; a view, so that they are not
-- stored.
{%- set always = "timestamp '1900-01-01 00:00:00'" %}
with customers as (
    select * from {{ landing('crm', 'crm_customers', is_hashed=false) }}
),

orders as (
    select
        store,
        order_id,
        customer_id,
        {{ clean_email('email') }} as email,
        {{ clean_phone('phone') }} as phone,
        ordered_at
    from {{ landing('shop', 'shop_orders', is_hashed=false) }}
),

contacts as (
    select * from {{ landing('esp', 'esp_contacts', is_hashed=false) }}
),

visited as (
    select
        store,
        anonymous_id,
        customer_id,
        esp_contact_id,
        {{ clean_email('email') }} as email,
        case
            when {{ standardise('event_type', 'web_event_type') }} = 'order_placed' then order_id
        end as order_id,
        occurred_at
    from {{ landing('web', 'web_events', is_hashed=false) }}
    where
        coalesce(is_tracking_allowed, true)
        and coalesce(customer_id, esp_contact_id, email, order_id) is not null
),

visits as (
    select
        store,
        anonymous_id,
        customer_id,
        esp_contact_id,
        email,
        order_id,
        min(occurred_at) as linked_at
    from visited
    group by store, anonymous_id, customer_id, esp_contact_id, email, order_id
),

named_together as (
    select
        store,
        customer_id,
        {{ clean_email('email') }} as email,
        {{ clean_phone('phone') }} as phone,
        signed_up_at as linked_at
    from customers
    union all by name
    select
        store,
        customer_id,
        email,
        phone,
        min(ordered_at) as linked_at
    from orders
    group by store, customer_id, email, phone
    union all by name
    select
        contacts.store,
        contacts.esp_contact_id,
        {{ clean_email('contacts.email') }} as email,
        {{ clean_phone('contacts.phone') }} as phone,
        customers.customer_id,
        contacts.created_at as linked_at
    from contacts
    left join customers
        on contacts.store = customers.store and contacts.external_id = customers.customer_id
    union all by name
    -- A device has the identifiers of the order that was placed on it.
    select
        visits.store,
        visits.anonymous_id,
        coalesce(visits.customer_id, orders.customer_id) as customer_id,
        visits.esp_contact_id,
        coalesce(visits.email, orders.email) as email,
        orders.phone,
        visits.linked_at
    from visits
    left join orders on visits.store = orders.store and visits.order_id = orders.order_id
    union all by name
    select
        store,
        customer_id,
        esp_contact_id,
        {{ clean_email('email') }} as email,
        {{ clean_phone('phone') }} as phone,
        occurred_at as linked_at
    from {{ landing('consent', 'consent_events', is_hashed=false) }}
    union all by name
    select
        store,
        customer_id,
        esp_contact_id,
        {{ clean_email('email') }} as email,
        min(occurred_at) as linked_at
    from {{ landing('esp', 'esp_events', is_hashed=false) }}
    group by store, customer_id, esp_contact_id, {{ clean_email('email') }}
    union all by name
    select
        store,
        customer_id,
        {{ clean_email('email') }} as email,
        occurred_at as linked_at
    from {{ landing('social', 'social_interactions', is_hashed=false) }}
    union all by name
    select
        store,
        customer_id,
        {{ clean_email('email') }} as email,
        opened_at as linked_at
    from {{ landing('service', 'service_interactions', is_hashed=false) }}
    union all by name
    select
        store,
        customer_id,
        {{ clean_email('email') }} as email,
        updated_at as linked_at
    from {{ landing('crm', 'customer_attributes', is_hashed=false) }}
),

named_pairs as (
    {{ identifier_pairs('named_together') }}
),

merged as (
    select
        store,
        'customer_id' as left_type,
        customer_id as left_identifier,
        'customer_id' as right_type,
        merged_into_customer_id as right_identifier,
        {{ always }} as linked_at
    from customers
    where customer_id is not null and merged_into_customer_id is not null
    union all
    select
        store,
        'esp_contact_id' as left_type,
        esp_contact_id as left_identifier,
        'esp_contact_id' as right_type,
        merged_into_contact_id as right_identifier,
        {{ always }} as linked_at
    from contacts
    where esp_contact_id is not null and merged_into_contact_id is not null
),

-- A link without a time holds always.
final as (
    select
        store,
        left_type,
        left_identifier,
        right_type,
        right_identifier,
        min(coalesce(linked_at, {{ always }})) as linked_at
    from (
        select * from named_pairs
        union all
        select * from merged
    ) as pairs
    group by store, left_type, left_identifier, right_type, right_identifier
)

select * from final
