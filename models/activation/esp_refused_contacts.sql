{{ config(materialized='view') }}

-- Grain: contact that the ESP's newest export shows as subscribed and not suppressed, of a customer
-- who said no in our data, or at an address that complained or bounced for good. Also of people who
-- were never sent: the outbox has them suppressed, once. Who was never asked said nothing. Klaviyo
-- and Braze are told by the address: a contact without an external id is known by its own.
with contacts as (
    select * from {{ ref('dim_esp_contacts') }}
    where is_subscribed and not is_suppressed and email is not null
),

customers as (
    select * from {{ ref('dim_customers') }}
),

contactability as (
    select * from {{ ref('customer_contactability') }}
),

suppressions as (
    select * from {{ ref('fct_suppressions') }}
),

identities as (
    select * from {{ ref('esp_identity') }}
    where esp = '{{ var("esp") }}'
),

-- The customer of a contact, and whoever has its address.
owners as (
    select
        contacts.store,
        contacts.esp_contact_id,
        contacts.customer_key
    from contacts
    inner join customers on contacts.customer_key = customers.customer_key
    union
    select
        contacts.store,
        contacts.esp_contact_id,
        customers.customer_key
    from contacts
    inner join customers on contacts.email = customers.email
),

said as (
    select
        owners.store,
        owners.esp_contact_id,
        min(owners.customer_key) as customer_key,
        min(
            case
                when
                    contactability.block_reason in (
                        'withdrawn', 'objected', 'restricted', 'address_refused'
                    )
                    then contactability.block_reason
            end
        ) as block_reason
    from owners
    inner join contactability on owners.customer_key = contactability.customer_key
    group by owners.store, owners.esp_contact_id
),

allowed as (
    select customers.email
    from customers
    inner join contactability on customers.customer_key = contactability.customer_key
    where contactability.is_contactable
),

found as (
    select
        contacts.esp_contact_id,
        coalesce(contacts.customer_key, said.customer_key) as customer_key,
        contacts.email,
        coalesce(suppressions.reason, said.block_reason) as reason,
        coalesce(
            case
                when identities.identity = 'email' then contacts.email
                when
                    identities.identity = 'esp_contact_id'
                    and (
                        '{{ var("esp") }}' not in ('klaviyo', 'braze')
                        or contacts.external_id is null
                    )
                    then contacts.esp_contact_id
            end,
            contacts.external_id,
            {%- if var('esp') not in ['klaviyo', 'braze'] %}
            contacts.customer_key,
            {%- endif %}
            contacts.esp_contact_id
        ) as esp_id
    from contacts
    inner join said
        on contacts.store = said.store and contacts.esp_contact_id = said.esp_contact_id
    cross join identities
    left join suppressions on contacts.email = suppressions.email
    left join allowed on contacts.email = allowed.email
    where
        allowed.email is null
        and coalesce(suppressions.reason, said.block_reason) is not null
),

final as (
    select
        esp_id,
        esp_contact_id,
        customer_key,
        email,
        reason
    from found
    qualify row_number() over (partition by esp_id order by email, esp_contact_id) = 1
)

select * from final
