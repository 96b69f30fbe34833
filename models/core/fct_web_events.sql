{{ config(materialized='view') }}

-- Grain: event on the site or in the app. A view: the customer is looked up at every reading, so
-- that a late link moves past events. An event of somebody who allows no tracking, or on a device
-- of several people, has no customer.
with events as (
    select
        *,
        {{ identifier_type(['customer_id', 'email', 'esp_contact_id', 'anonymous_id']) }}
            as identifier_type,
        coalesce(customer_id, email, esp_contact_id, anonymous_id) as identifier
    from {{ ref('stg_web__events') }}
),

identifiers as (
    select * from {{ ref('dim_identifiers') }}
),

products as (
    select * from {{ ref('dim_products') }}
),

final as (
    select
        events.store,
        events.event_id,
        events.session_id,
        identifiers.customer_key,
        events.anonymous_id,
        events.event_type,
        products.product_key,
        events.quantity,
        events.unit_price,
        events.currency,
        events.cart_id,
        events.order_id,
        events.search_term,
        events.page_url,
        events.utm_source,
        events.utm_medium,
        events.utm_campaign,
        events.utm_content,
        events.device_type,
        events.engaged_seconds,
        events.occurred_at,
        {{ local_date('events.occurred_at') }} as event_date
    from events
    left join identifiers
        on
            events.store = identifiers.store
            and events.identifier_type = identifiers.identifier_type
            and events.identifier = identifiers.identifier
    left join products
        on events.store = products.store and events.product_id = products.product_id
)

select * from final
