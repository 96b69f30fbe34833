-- Grain: message, one per recipient and send, on any channel.
with events as (
    select * from {{ ref('stg_esp__events') }}
    where occurred_at < {{ as_of_at() }}
),

campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

-- A message is described by its `sent` event, or else by the first that is known of it.
messages as (
    select
        store,
        message_id,
        campaign_id,
        channel,
        variant,
        customer_id,
        esp_contact_id,
        email,
        event_type = 'sent' as is_send_known,
        occurred_at
    from events
    qualify
        row_number() over (
            partition by store, message_id
            order by case when event_type = 'sent' then 0 else 1 end, occurred_at, event_id
        ) = 1
),

final as (
    select
        messages.store,
        messages.message_id,
        {{ resolved_customer_key(['customer_id', 'esp_contact_id', 'email']) }} as customer_key,
        campaigns.campaign_key,
        coalesce(messages.channel, campaigns.channel, 'email') as channel,
        messages.variant,
        messages.occurred_at as sent_at,
        {{ local_date('messages.occurred_at') }} as sent_date,
        messages.is_send_known
    from messages
    {{ resolved_customer_joins('messages', ['customer_id', 'esp_contact_id', 'email']) }}
    left join campaigns
        on messages.store = campaigns.store and messages.campaign_id = campaigns.campaign_id
)

select * from final
