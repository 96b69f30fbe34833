{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ restate_changed(this, 'message_hash', message_fingerprints(), buckets=100000) }}"
) }}

{%- set description = {
    'campaign_id': 'campaign_id',
    'channel': 'channel',
    'variant': 'variant',
    'identifier_type': 'identifier_type',
    'identifier': 'identifier',
    'occurred_at': 'sent_at',
} -%}
-- What became of every message: one row out of its events. Described by its `sent` event, or else
-- by the first that is known of it. Of all messages, whoever reads events reads the columns it
-- needs; those of a day's messages are few, and read once.
with events as {{ not_materialized() if not is_incremental() }} (
    select
        *,
        {{ identifier_type(['customer_id', 'esp_contact_id', 'email']) }} as identifier_type,
        coalesce(customer_id, esp_contact_id, email) as identifier,
        {{ event_fingerprint() }} as event_fingerprint
    from {{ ref('stg_esp__events') }}
    where
        occurred_at < {{ as_of_at() }}
        and {{ is_restated(this, 'message_hash') }}
),

judged as (
    {{ judged_reactions('events') }}
),

outcomes as (
    select
        store,
        message_id,
        {{ first_of(
            description,
            ["case when event_type = 'sent' then 0 else 1 end", 'occurred_at', 'event_id'],
        ) }},
        count(case when event_type = 'sent' then 1 end) > 0 as is_send_known,
        {%- for event_type in ['delivered', 'dropped', 'bounced', 'unsubscribed', 'complained'] %}
        min(case when event_type = '{{ event_type }}' then occurred_at end) as {{ event_type }}_at,
        {%- endfor %}
        min(case when event_type = 'bounced' then bounce_type end) as bounce_type,
        min(message_hash) as message_hash,
        {{ fingerprint_of_all('event_fingerprint') }} as fingerprint
    from events
    group by store, message_id
),

responses as (
    select
        store,
        message_id,
        {%- for kind in ['likely_human', 'privacy_proxy', 'scanner', 'unknown'] %}
        min(case when event_type = 'opened' and kind = '{{ kind }}' then occurred_at end)
            as {{ kind }}_opened_at,
        {%- endfor %}
        min(case when event_type = 'clicked' and kind = 'likely_human' then occurred_at end)
            as clicked_at,
        min(case when event_type = 'clicked' and kind = 'scanner' then occurred_at end)
            as scanner_clicked_at,
        count(case when event_type = 'opened' and kind = 'likely_human' then 1 end)
            as human_open_count,
        count(case when event_type = 'opened' and kind <> 'likely_human' then 1 end)
            as other_open_count,
        count(case when event_type = 'clicked' and kind = 'likely_human' then 1 end)
            as human_click_count
    from judged
    group by store, message_id
),

final as (
    select
        outcomes.store,
        outcomes.message_id,
        {{ of_first(description, 'outcomes') }},
        outcomes.is_send_known,
        outcomes.delivered_at,
        outcomes.dropped_at,
        outcomes.bounced_at,
        outcomes.bounce_type,
        responses.likely_human_opened_at,
        responses.privacy_proxy_opened_at,
        responses.scanner_opened_at,
        responses.unknown_opened_at,
        responses.clicked_at,
        responses.scanner_clicked_at,
        coalesce(responses.human_open_count, 0) as human_open_count,
        coalesce(responses.other_open_count, 0) as other_open_count,
        coalesce(responses.human_click_count, 0) as human_click_count,
        outcomes.unsubscribed_at,
        outcomes.complained_at,
        outcomes.message_hash,
        outcomes.fingerprint
    from outcomes
    left join responses
        on outcomes.store = responses.store and outcomes.message_id = responses.message_id
)

select * from final
