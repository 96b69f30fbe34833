-- Includes delivered, bounced, complained and unsubscribed events at or after the clock: permission
-- and suppression need them. Facts filter on occurred_at.
with events as (
    select * from {{ ref('base_esp__events') }}
),

final as (
    select
        -- ids
        store,
        event_id,
        message_id,
        campaign_id,

        -- recipient
        esp_contact_id,
        customer_id,
        email,

        -- what happened
        channel,
        event_type,
        bounce_type,
        list_id,
        variant,
        link_url,
        user_agent,
        is_machine,

        -- times
        occurred_at,

        -- to see what changed
        message_hash,
        fingerprint
    from events
    where row_status = 'accepted'
)

select * from final
