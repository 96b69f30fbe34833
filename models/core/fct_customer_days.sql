{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ restate_changed(
        this, ['customer_key'], customer_fingerprints(), is_repeated=true
    ) }}"
) }}
{%- set is_of_restated = is_restated(this, ['customer_key']) %}

-- Grain: customer and calendar day of the shop on which something happened, all channels. The
-- ledger from which windows are summed. Additive in every column. Opens and clicks are messages
-- first opened or clicked by a likely human on that day. Incremental (docs/decisions/0013): the
-- days of a customer are made anew when anything that they were made from has changed.
with orders as (
    select
        customer_key,
        order_date as activity_date,
        count(*) as order_count,
        sum(product_base_amount) as sold_base_amount
    from {{ ref('fct_orders') }}
    where
        is_valid
        and customer_key is not null
        and {{ is_of_restated }}
    group by customer_key, order_date
),

refunds as (
    select
        customer_key,
        refund_date as activity_date,
        sum(product_base_amount) as refunded_base_amount
    from {{ ref('fct_refunds') }}
    where
        effect = 'revenue'
        and customer_key is not null
        and {{ is_of_restated }}
    group by customer_key, refund_date
),

sessions as (
    select
        customer_key,
        session_date as activity_date,
        count(*) as session_count,
        sum(page_view_count) as page_view_count,
        sum(product_view_count) as product_view_count,
        sum(search_count) as search_count,
        sum(cart_add_count) as cart_add_count,
        sum(checkout_count) as checkout_count,
        sum(engaged_seconds) as engaged_seconds
    from {{ ref('fct_web_sessions') }}
    where
        customer_key is not null
        and {{ is_of_restated }}
    group by customer_key, session_date
),

messages as (
    select * from {{ ref('fct_messages') }}
    where
        customer_key is not null
        and channel = 'email'
        and {{ is_of_restated }}
),

message_events as (
    {%- for event in ['sent', 'delivered', 'opened', 'clicked', 'unsubscribed', 'complained'] %}
    select
        customer_key,
        {{ local_date(event ~ '_at') }} as activity_date,
        '{{ event }}' as event_name
    from messages
    where {{ event }}_at is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

message_days as (
    select
        customer_key,
        activity_date,
        count(case when event_name = 'sent' then 1 end) as email_sent_count,
        count(case when event_name = 'delivered' then 1 end) as email_delivered_count,
        count(case when event_name = 'opened' then 1 end) as email_open_count,
        count(case when event_name = 'clicked' then 1 end) as email_click_count,
        count(case when event_name = 'unsubscribed' then 1 end) as email_unsubscribe_count,
        count(case when event_name = 'complained' then 1 end) as email_complaint_count
    from message_events
    group by customer_key, activity_date
),

social_days as (
    select
        customer_key,
        interaction_date as activity_date,
        count(*) as social_interaction_count
    from {{ ref('fct_social_interactions') }}
    where
        customer_key is not null
        and {{ is_of_restated }}
    group by customer_key, interaction_date
),

service_days as (
    select
        customer_key,
        opened_date as activity_date,
        count(*) as service_interaction_count
    from {{ ref('fct_service_interactions') }}
    where
        customer_key is not null
        and {{ is_of_restated }}
    group by customer_key, opened_date
),

redemption_days as (
    select
        customer_key,
        redeemed_date as activity_date,
        count(*) as coupon_redemption_count
    from {{ ref('fct_coupon_redemptions') }}
    where
        customer_key is not null
        and {{ is_of_restated }}
    group by customer_key, redeemed_date
),

fingerprints as (
    {{ restated_fingerprints(this, customer_fingerprints()) }}
),

days as (
    select * from orders
    union all by name
    select * from refunds
    union all by name
    select * from sessions
    union all by name
    select * from message_days
    union all by name
    select * from social_days
    union all by name
    select * from service_days
    union all by name
    select * from redemption_days
),

summed as (
    select
        customer_key,
        activity_date,
        cast(coalesce(sum(order_count), 0) as integer) as order_count,
        {%- for column in [
            'session_count', 'page_view_count', 'product_view_count', 'search_count',
            'cart_add_count', 'checkout_count', 'engaged_seconds', 'email_sent_count',
            'email_delivered_count', 'email_open_count', 'email_click_count',
            'email_unsubscribe_count', 'email_complaint_count', 'social_interaction_count',
            'service_interaction_count', 'coupon_redemption_count',
        ] %}
        cast(coalesce(sum({{ column }}), 0) as integer) as {{ column }},
        {%- endfor %}
        {{ money('coalesce(sum(sold_base_amount), 0) - coalesce(sum(refunded_base_amount), 0)') }}
            as net_revenue_base_amount
    from days
    group by customer_key, activity_date
),

final as (
    select
        summed.*,
        fingerprints.fingerprint
    from summed
    inner join fingerprints
        on {{ fingerprint(['summed.customer_key']) }} = fingerprints.key_hash
)

select * from final
