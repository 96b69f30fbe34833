{{ config(materialized='view') }}

-- Grain: visit, of a known visitor or of an unknown one. A view: see fct_web_events.
with sessions as (
    select * from {{ ref('int_web_sessions_cut') }}
),

identifiers as (
    select * from {{ ref('dim_identifiers') }}
),

final as (
    select
        sessions.store,
        sessions.visitor_type,
        sessions.visitor,
        sessions.session_id,
        identifiers.customer_key,
        sessions.is_cut,
        sessions.started_at,
        sessions.ended_at,
        {{ local_date('sessions.started_at') }} as session_date,
        sessions.event_count,
        sessions.page_view_count,
        sessions.product_view_count,
        sessions.search_count,
        sessions.cart_add_count,
        sessions.checkout_count,
        sessions.order_count,
        sessions.engaged_seconds,
        sessions.entry_url,
        sessions.referrer_url,
        sessions.utm_source,
        sessions.utm_medium,
        sessions.utm_campaign,
        sessions.device_type
    from sessions
    left join identifiers
        on
            sessions.store = identifiers.store
            and sessions.identifier_type = identifiers.identifier_type
            and sessions.identifier = identifiers.identifier
)

select * from final
