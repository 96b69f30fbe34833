-- Everyone there is: CRM records, customers and guests known by their orders alone, ESP contacts
-- known by nothing else.
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

identifiers as (
    select * from {{ ref('int_identifiers_resolved') }}
),

crm_customers as (
    select
        {{ entity_key(["'crm'", 'records.store', 'records.customer_id']) }} as customer_key,
        'crm' as origin,
        records.store,
        records.customer_id,
        records.email,
        records.is_email_verified,
        records.phone,
        records.first_name,
        records.last_name,
        records.birth_date,
        records.gender,
        records.language,
        records.city,
        records.region,
        records.country_code,
        records.postal_code,
        records.timezone,
        records.signup_source,
        records.preferred_categories,
        records.preferred_brand,
        records.signed_up_at
    from records
    inner join merged
        on
            records.store = merged.store
            and records.customer_id = merged.customer_id
            and merged.root_customer_id = merged.customer_id
),

-- The newest order says how to reach its customer.
order_customers as (
    select
        identifiers.customer_key,
        identifiers.origin,
        orders.store,
        orders.customer_id,
        orders.email,
        orders.phone
    from orders
    inner join identifiers
        on
            orders.store = identifiers.store
            and identifiers.identifier_type
            = case when orders.customer_id is null then 'email' else 'customer_id' end
            and identifiers.identifier = coalesce(orders.customer_id, orders.email)
    where identifiers.origin = 'order'
    qualify
        row_number() over (
            partition by identifiers.customer_key
            order by
                orders.customer_id asc nulls last,
                case when orders.email is not null then 0 else 1 end asc,
                orders.ordered_at desc,
                orders.order_id asc
        ) = 1
),

contact_customers as (
    select
        identifiers.customer_key,
        identifiers.origin,
        contacts.store,
        contacts.email,
        contacts.phone,
        contacts.first_name,
        contacts.language,
        contacts.country_code,
        'esp' as signup_source,
        contacts.created_at as signed_up_at
    from contacts
    inner join identifiers
        on
            contacts.store = identifiers.store
            and identifiers.identifier_type = 'esp_contact_id'
            and contacts.esp_contact_id = identifiers.identifier
    where identifiers.origin = 'contact'
    qualify
        row_number() over (
            partition by identifiers.customer_key
            order by contacts.created_at nulls last, contacts.esp_contact_id
        ) = 1
),

final as (
    select * from crm_customers
    union all by name
    select * from order_customers
    union all by name
    select * from contact_customers
)

select * from final
