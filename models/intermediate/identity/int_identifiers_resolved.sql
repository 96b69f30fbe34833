-- Whom an identifier stands for. Facts keep the identifier they came with and look the person up
-- here. Of several CRM records with one address the oldest holds it. A record or contact that came
-- at or after the clock holds no address yet.
with records as (
    select * from {{ ref('stg_crm__customers') }}
),

merged as (
    select * from {{ ref('int_crm_records_merged') }}
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

contacts as (
    select * from {{ ref('stg_esp__contacts') }}
),

crm_ids as (
    select
        store,
        'customer_id' as identifier_type,
        customer_id as identifier,
        {{ entity_key(["'crm'", 'store', 'root_customer_id']) }} as customer_key,
        'crm' as origin
    from merged
),

-- Orders of a customer id that the CRM does not know: the person is as old as the first of them.
order_ids as (
    select
        orders.store,
        'customer_id' as identifier_type,
        orders.customer_id as identifier,
        {{ entity_key(["'order'", 'orders.store', 'orders.order_id']) }} as customer_key,
        'order' as origin
    from orders
    left join merged
        on orders.store = merged.store and orders.customer_id = merged.customer_id
    where orders.customer_id is not null and merged.customer_id is null
    qualify
        row_number() over (
            partition by orders.store, orders.customer_id
            order by orders.ordered_at, orders.order_id
        ) = 1
),

-- Who is first to hold an address: a CRM record, then an order's customer, then a guest.
address_holders as (
    select
        records.store,
        records.email,
        {{ entity_key(["'crm'", 'merged.store', 'merged.root_customer_id']) }} as customer_key,
        'crm' as origin,
        1 as rank_of_origin,
        records.signed_up_at as held_since,
        records.customer_id as tie_breaker
    from records
    inner join merged
        on records.store = merged.store and records.customer_id = merged.customer_id
    where
        records.email is not null
        and coalesce(records.signed_up_at < {{ as_of_at() }}, true)
    union all
    select
        orders.store,
        orders.email,
        coalesce(
            order_ids.customer_key,
            {{ entity_key(["'order'", 'orders.store', 'orders.order_id']) }}
        ) as customer_key,
        'order' as origin,
        case when order_ids.customer_key is not null then 2 else 3 end as rank_of_origin,
        orders.ordered_at as held_since,
        orders.order_id as tie_breaker
    from orders
    left join merged
        on orders.store = merged.store and orders.customer_id = merged.customer_id
    left join order_ids
        on orders.store = order_ids.store and orders.customer_id = order_ids.identifier
    where orders.email is not null and merged.customer_id is null
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
            crm_ids.customer_key,
            emails.customer_key,
            {{ entity_key(["'contact'", 'contacts.store', 'contacts.esp_contact_id']) }}
        ) as customer_key,
        coalesce(crm_ids.origin, emails.origin, 'contact') as origin
    from contacts
    left join crm_ids
        on contacts.store = crm_ids.store and contacts.external_id = crm_ids.identifier
    left join emails
        on contacts.store = emails.store and contacts.email = emails.identifier
),

final as (
    select * from crm_ids
    union all
    select * from order_ids
    union all
    select * from emails
    union all
    select * from contact_ids
)

select * from final
