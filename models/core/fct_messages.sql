{{ config(materialized='view') }}

-- Grain: message, one per recipient and send, on any channel, with what became of it. Opens are
-- told apart by who opened; only likely human ones are opened_at. A view: see fct_web_events.
with messages as (
    select * from {{ ref('int_messages_followed') }}
),

identifiers as (
    select * from {{ ref('dim_identifiers') }}
),

campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

final as (
    select
        messages.store,
        messages.message_id,
        identifiers.customer_key,
        campaigns.campaign_key,
        {{ message_channel('messages', 'campaigns') }} as channel,
        messages.variant,
        messages.sent_at,
        {{ local_date('messages.sent_at') }} as sent_date,
        messages.is_send_known,
        messages.delivered_at,
        messages.dropped_at,
        messages.bounced_at,
        messages.bounce_type,
        messages.likely_human_opened_at as opened_at,
        messages.privacy_proxy_opened_at,
        messages.scanner_opened_at,
        messages.unknown_opened_at,
        messages.human_open_count,
        messages.other_open_count,
        messages.clicked_at,
        messages.scanner_clicked_at,
        messages.human_click_count,
        messages.unsubscribed_at,
        messages.complained_at
    from messages
    left join identifiers
        on
            messages.store = identifiers.store
            and messages.identifier_type = identifiers.identifier_type
            and messages.identifier = identifiers.identifier
    left join campaigns
        on messages.store = campaigns.store and messages.campaign_id = campaigns.campaign_id
)

select * from final
