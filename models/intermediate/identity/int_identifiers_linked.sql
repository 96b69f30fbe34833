-- Every two identifiers that one raw row names together, and since when. Rows from the clock on
-- link nothing yet.
with crm_records as (
    select * from {{ ref('stg_crm__customers') }}
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

contacts as (
    select * from {{ ref('stg_esp__contacts') }}
),

visitors as (
    select * from {{ ref('int_visitors_linked') }}
),

consent_events as (
    select * from {{ ref('stg_consent__events') }}
    where occurred_at < {{ as_of_at() }}
),

social_interactions as (
    select * from {{ ref('stg_social__interactions') }}
),

service_interactions as (
    select * from {{ ref('stg_service__interactions') }}
),

customer_attributes as (
    select * from {{ ref('stg_crm__customer_attributes') }}
),

recipients as (
    select
        store,
        customer_id,
        esp_contact_id,
        email,
        min(occurred_at) as linked_at
    from {{ ref('stg_esp__events') }}
    where
        occurred_at < {{ as_of_at() }}
        and case when customer_id is not null then 1 else 0 end
        + case when esp_contact_id is not null then 1 else 0 end
        + case when email is not null then 1 else 0 end > 1
    group by store, customer_id, esp_contact_id, email
),

named_together as (
    select
        store,
        customer_id,
        email,
        phone,
        signed_up_at as linked_at
    from crm_records
    union all by name
    select
        store,
        customer_id,
        email,
        phone,
        ordered_at as linked_at
    from orders
    union all by name
    -- What the ESP holds as external id may be anything: it counts where the CRM knows it.
    select
        contacts.store,
        contacts.esp_contact_id,
        contacts.email,
        contacts.phone,
        crm_records.customer_id,
        contacts.created_at as linked_at
    from contacts
    left join crm_records
        on
            contacts.store = crm_records.store
            and contacts.external_id = crm_records.customer_id
    union all by name
    -- A device has the identifiers of the order that was placed on it.
    select
        visitors.store,
        visitors.anonymous_id,
        coalesce(visitors.customer_id, orders.customer_id) as customer_id,
        visitors.esp_contact_id,
        coalesce(visitors.email, orders.email) as email,
        orders.phone,
        visitors.linked_at
    from visitors
    left join orders on visitors.store = orders.store and visitors.order_id = orders.order_id
    union all by name
    select
        store,
        customer_id,
        esp_contact_id,
        email,
        phone,
        occurred_at as linked_at
    from consent_events
    union all by name
    select * from recipients
    union all by name
    select
        store,
        customer_id,
        email,
        occurred_at as linked_at
    from social_interactions
    union all by name
    select
        store,
        customer_id,
        email,
        opened_at as linked_at
    from service_interactions
    union all by name
    select
        store,
        customer_id,
        email,
        updated_at as linked_at
    from customer_attributes
),

-- A link without a time holds always.
known as (
    select * replace (coalesce(linked_at, timestamp '1900-01-01 00:00:00') as linked_at)
    from named_together
    where linked_at is null or linked_at < {{ as_of_at() }}
),

pairs as (
    {{ identifier_pairs('known') }}
),

final as (
    select
        store,
        left_type,
        left_identifier,
        right_type,
        right_identifier,
        min(linked_at) as linked_at
    from pairs
    group by store, left_type, left_identifier, right_type, right_identifier
)

select * from final
