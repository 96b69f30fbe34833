{{ config(materialized='view') }}

-- Grain: something that happened to a customer. Everything, in the order of happened_at; a view,
-- to be read for one customer or a few days.
with orders as (
    select
        customer_key,
        ordered_at as happened_at,
        'order' as channel,
        case when is_test then 'test order' else 'order' end as event_name,
        'Order ' || order_id || ' over ' || cast(total_amount as decimal(18, 2)) || ' ' || currency
            as about,
        store,
        order_id as source_id
    from {{ ref('fct_orders') }}
    union all
    select
        customer_key,
        cancelled_at as happened_at,
        'order' as channel,
        'order cancelled' as event_name,
        'Order ' || order_id as about,
        store,
        order_id as source_id
    from {{ ref('fct_orders') }}
    where cancelled_at is not null
),

refunds as (
    select
        customer_key,
        refunded_at as happened_at,
        'order' as channel,
        'refund' as event_name,
        'Refund (' || refund_type || ') of ' || cast(refund_amount as decimal(18, 2)) || ' '
        || currency || ' on order ' || order_id as about,
        store,
        refund_id as source_id
    from {{ ref('fct_refunds') }}
),

web_events as (
    select
        events.customer_key,
        events.occurred_at as happened_at,
        'web' as channel,
        events.event_type as event_name,
        coalesce(products.product_name, events.search_term, events.page_url) as about,
        events.store,
        events.event_id as source_id
    from {{ ref('fct_web_events') }} as events
    left join {{ ref('dim_products') }} as products on events.product_key = products.product_key
),

messages as (
    select
        messages.*,
        campaigns.campaign_name
    from {{ ref('fct_messages') }} as messages
    left join {{ ref('dim_campaigns') }} as campaigns
        on messages.campaign_key = campaigns.campaign_key
),

message_events as (
    {%- for event in [
        'sent', 'delivered', 'dropped', 'bounced', 'opened', 'clicked', 'unsubscribed', 'complained',
    ] %}
    select
        customer_key,
        {{ event }}_at as happened_at,
        channel,
        'message {{ event }}' as event_name,
        campaign_name as about,
        store,
        message_id as source_id
    from messages
    where {{ event }}_at is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

consents as (
    select
        customer_key,
        occurred_at as happened_at,
        'consent' as channel,
        purpose || ' ' || action as event_name,
        collected_via as about,
        cast(null as varchar) as store,
        event_id as source_id
    from {{ ref('fct_consents') }}
),

social_interactions as (
    select
        customer_key,
        occurred_at as happened_at,
        'social' as channel,
        interaction_type as event_name,
        network as about,
        store,
        event_id as source_id
    from {{ ref('fct_social_interactions') }}
),

service_interactions as (
    select
        customer_key,
        opened_at as happened_at,
        'service' as channel,
        coalesce(channel, 'contact') as event_name,
        topic as about,
        store,
        interaction_id as source_id
    from {{ ref('fct_service_interactions') }}
),

redemptions as (
    select
        customer_key,
        redeemed_at as happened_at,
        'order' as channel,
        'coupon redeemed' as event_name,
        coupon_code as about,
        store,
        redemption_id as source_id
    from {{ ref('fct_coupon_redemptions') }}
),

sign_ups as (
    select
        customer_key,
        signed_up_at as happened_at,
        'crm' as channel,
        'signed up' as event_name,
        signup_source as about,
        store,
        customer_key as source_id
    from {{ ref('dim_customers') }}
    where signed_up_at is not null
),

everything as (
    select * from orders
    union all
    select * from refunds
    union all
    select * from web_events
    union all
    select * from message_events
    union all
    select * from consents
    union all
    select * from social_interactions
    union all
    select * from service_interactions
    union all
    select * from redemptions
    union all
    select * from sign_ups
),

final as (
    select
        customer_key,
        happened_at,
        channel,
        event_name,
        about,
        store,
        source_id
    from everything
    where customer_key is not null
)

select * from final
