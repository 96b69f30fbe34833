-- When a customer first did something, as far as the clock knows.
with orders as (
    select
        store,
        customer_id,
        email,
        ordered_at as acted_at
    from {{ ref('stg_shop__orders') }}
),

redemptions as (
    select
        store,
        customer_id,
        cast(null as varchar) as email,
        redeemed_at as acted_at
    from {{ ref('stg_shop__coupon_redemptions') }}
),

messages as (
    select
        store,
        customer_id,
        esp_contact_id,
        email,
        min(occurred_at) as acted_at
    from {{ ref('stg_esp__events') }}
    where occurred_at < {{ as_of_at() }}
    group by store, customer_id, esp_contact_id, email
),

acts as (
    select
        store,
        customer_id,
        cast(null as varchar) as esp_contact_id,
        email,
        acted_at
    from orders
    union all
    select
        store,
        customer_id,
        cast(null as varchar) as esp_contact_id,
        email,
        acted_at
    from redemptions
    union all
    select
        store,
        customer_id,
        esp_contact_id,
        email,
        acted_at
    from messages
),

attached as (
    select
        {{ resolved_customer_key(['customer_id', 'esp_contact_id', 'email']) }} as customer_key,
        acts.acted_at
    from acts
    {{ resolved_customer_joins('acts', ['customer_id', 'esp_contact_id', 'email']) }}
),

final as (
    select
        customer_key,
        min(acted_at) as first_acted_at
    from attached
    where customer_key is not null
    group by customer_key
)

select * from final
