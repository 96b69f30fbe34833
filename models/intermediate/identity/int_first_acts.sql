-- When a customer first did something, as far as the clock knows.
with orders as (
    select * from {{ ref('stg_shop__orders') }}
),

redemptions as (
    select * from {{ ref('stg_shop__coupon_redemptions') }}
),

messages as (
    select * from {{ ref('stg_esp__events') }}
    where occurred_at < {{ as_of_at() }}
),

identifiers as (
    select * from {{ ref('int_identifiers_resolved') }}
),

acts as (
    select
        store,
        'customer_id' as identifier_type,
        customer_id as identifier,
        min(ordered_at) as acted_at
    from orders
    where customer_id is not null
    group by store, customer_id
    union all
    select
        store,
        'email' as identifier_type,
        email as identifier,
        min(ordered_at) as acted_at
    from orders
    where customer_id is null and email is not null
    group by store, email
    union all
    select
        store,
        'customer_id' as identifier_type,
        customer_id as identifier,
        min(redeemed_at) as acted_at
    from redemptions
    where customer_id is not null
    group by store, customer_id
    union all
    select
        store,
        {{ identifier_type(['customer_id', 'esp_contact_id', 'email']) }} as identifier_type,
        coalesce(customer_id, esp_contact_id, email) as identifier,
        min(occurred_at) as acted_at
    from messages
    group by store, identifier_type, identifier
),

final as (
    select
        identifiers.customer_key,
        min(acts.acted_at) as first_acted_at
    from acts
    inner join identifiers
        on
            acts.store = identifiers.store
            and acts.identifier_type = identifiers.identifier_type
            and acts.identifier = identifiers.identifier
    group by identifiers.customer_key
)

select * from final
