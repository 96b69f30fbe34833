{{ config(materialized='view') }}

-- What silences an address for good: complaints and hard bounces, by whatever the ESP named the
-- recipient. Asked only for people who are erased, whose own rows are withheld; a view, so that
-- nothing of it is stored.
{%- set identifiers = ['customer_id', 'esp_contact_id', 'email'] %}
with events as (
    select
        store,
        customer_id,
        esp_contact_id,
        {{ clean_email('email') }} as email,
        {{ standardise('event_type', 'esp_event_type') }} as event_type,
        {{ standardise('bounce_type', 'bounce_type') }} as bounce_type,
        coalesce({{ standardise('channel', 'channel') }}, 'email') as channel,
        occurred_at
    from {{ landing('esp', 'esp_events', is_hashed=false) }}
),

grave as (
    select
        *,
        case when event_type = 'complained' then 'complained' else 'hard_bounced' end as reason
    from events
    where
        channel = 'email'
        and (event_type = 'complained' or (event_type = 'bounced' and bounce_type = 'hard'))
),

final as (
    {%- for column in identifiers %}
    select
        store,
        '{{ column }}' as identifier_type,
        {{ column }} as identifier,
        email,
        reason,
        min(occurred_at) as suppressed_at
    from grave
    where {{ column }} is not null
    group by store, {{ column }}, email, reason
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from final
