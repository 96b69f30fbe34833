-- When a customer first did something, as far as the clock knows.
{%- set identifiers = ['customer_id', 'esp_contact_id', 'email', 'phone'] %}
with orders as (
    select
        store,
        customer_id,
        email,
        phone,
        ordered_at as acted_at
    from {{ ref('stg_shop__orders') }}
),

redemptions as (
    select
        store,
        customer_id,
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

interactions as (
    select
        store,
        customer_id,
        email,
        occurred_at as acted_at
    from {{ ref('stg_social__interactions') }}
    union all
    select
        store,
        customer_id,
        email,
        opened_at as acted_at
    from {{ ref('stg_service__interactions') }}
),

acts as (
    select * from orders
    union all by name
    select * from redemptions
    union all by name
    select * from messages
    union all by name
    select * from interactions
    union all by name
    select
        store,
        customer_id,
        esp_contact_id,
        email,
        linked_at as acted_at
    from {{ ref('int_visitors_linked') }}
),

attached as (
    select
        {{ resolved_customer_key(identifiers) }} as customer_key,
        acts.acted_at
    from acts
    {{ resolved_customer_joins('acts', identifiers) }}
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
