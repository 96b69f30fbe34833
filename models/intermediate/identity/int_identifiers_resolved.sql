-- Whom an identifier stands for. Facts keep the identifier they came with and look the person up
-- here. Of several CRM records with one address the oldest holds it. A record or contact that came
-- at or after the clock holds no address yet.
with records as (
    select * from {{ ref('stg_crm__customers') }}
),

customer_ids as (
    select * from {{ ref('int_customer_ids_resolved') }}
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

contacts as (
    select * from {{ ref('stg_esp__contacts') }}
),

-- Who is first to hold an address: a CRM record, then an order's customer, then a guest.
address_holders as (
    select
        records.store,
        records.email,
        customer_ids.customer_key,
        'crm' as origin,
        1 as rank_of_origin,
        records.signed_up_at as held_since,
        records.customer_id as tie_breaker
    from records
    inner join customer_ids
        on records.store = customer_ids.store and records.customer_id = customer_ids.customer_id
    where
        records.email is not null
        and coalesce(records.signed_up_at < {{ as_of_at() }}, true)
    union all
    select
        orders.store,
        orders.email,
        coalesce(
            customer_ids.customer_key,
            {{ entity_key(["'order'", 'orders.store', 'orders.order_id']) }}
        ) as customer_key,
        'order' as origin,
        case when customer_ids.customer_key is not null then 2 else 3 end as rank_of_origin,
        orders.ordered_at as held_since,
        orders.order_id as tie_breaker
    from orders
    left join customer_ids
        on orders.store = customer_ids.store and orders.customer_id = customer_ids.customer_id
    where orders.email is not null and coalesce(customer_ids.origin <> 'crm', true)
    union all
    select
        store,
        email,
        {{ entity_key(["'contact'", 'store', 'esp_contact_id']) }} as customer_key,
        'contact' as origin,
        4 as rank_of_origin,
        created_at as held_since,
        esp_contact_id as tie_breaker
    from contacts
    where email is not null and coalesce(created_at < {{ as_of_at() }}, true)
),

emails as (
    select
        store,
        'email' as identifier_type,
        email as identifier,
        customer_key,
        origin
    from address_holders
    qualify
        row_number() over (
            partition by store, email
            order by rank_of_origin, held_since nulls last, tie_breaker
        ) = 1
),

contact_ids as (
    select
        contacts.store,
        'esp_contact_id' as identifier_type,
        contacts.esp_contact_id as identifier,
        coalesce(
            customer_ids.customer_key,
            emails.customer_key,
            {{ entity_key(["'contact'", 'contacts.store', 'contacts.esp_contact_id']) }}
        ) as customer_key,
        coalesce(customer_ids.origin, emails.origin, 'contact') as origin
    from contacts
    left join customer_ids
        on
            contacts.store = customer_ids.store
            and contacts.external_id = customer_ids.customer_id
            and customer_ids.origin = 'crm'
    left join emails
        on contacts.store = emails.store and contacts.email = emails.identifier
),

final as (
    select
        store,
        'customer_id' as identifier_type,
        customer_id as identifier,
        customer_key,
        origin
    from customer_ids
    union all
    select * from emails
    union all
    select * from contact_ids
)

select * from final
