with source as (
    select * from {{ landing('esp', 'esp_events') }}
),

standardised as (
    select
        *,
        {{ clean_email('email') }} as clean_email,
        {{ standardise('event_type', 'esp_event_type') }} as clean_event_type,
        {{ standardise('bounce_type', 'bounce_type') }} as clean_bounce_type,
        {{ standardise('channel', 'channel') }} as clean_channel,
        {{ is_erased(
            [
                ('customer_id', 'source.customer_id'),
                ('email', 'lower(source.email)'),
                ('esp_contact_id', 'source.esp_contact_id'),
            ],
            'source.occurred_at'
        ) }} as is_withheld
    from source
),

judged as (
    select
        *,
        {{ reject_reason([
            ('event_id is null', 'event_id is missing'),
            ('message_id is null', 'message_id is missing'),
            (
                'esp_contact_id is null and customer_id is null and email is null',
                'no recipient is given',
            ),
            (
                'esp_contact_id is null and customer_id is null and clean_email is null',
                'the only recipient is no e-mail address',
            ),
            ('clean_event_type is null', 'event_type is missing or unknown'),
            ('occurred_at is null', 'occurred_at is missing or no time'),
            (is_absurd_time('occurred_at'), 'occurred_at is before 1990'),
        ]) }} as reject_reason,
        -- What decides on permission and suppression is known at once, whatever the clock.
        coalesce(
            occurred_at >= {{ as_of_at() }}
            and clean_event_type not in ('delivered', 'bounced', 'complained', 'unsubscribed'),
            false
        ) as is_not_yet
    from standardised
),

ranked as (
    select
        *,
        {{ row_status(['store', 'event_id']) }} as row_status
    from judged
),

final as (
    select
        store,
        event_id,
        message_id,
        campaign_id,
        esp_contact_id,
        customer_id,
        clean_email as email,
        clean_channel as channel,
        clean_event_type as event_type,
        -- A bounce of unknown kind is soft: only a hard one silences an address at once.
        case when clean_event_type = 'bounced' then coalesce(clean_bounce_type, 'soft') end
            as bounce_type,
        list_id,
        variant,
        link_url,
        user_agent,
        is_machine,
        occurred_at,
        loaded_at,
        event_id as row_key,
        row_status,
        reject_reason,
        {{ unusable_columns([
            ('email is not null and clean_email is null', 'email'),
            ('channel is not null and clean_channel is null', 'channel'),
            ('bounce_type is not null and clean_bounce_type is null', 'bounce_type'),
        ]) }} as unusable_columns
    from ranked
    where row_status <> 'withheld'
    {{ and_withheld('ranked') }}
)

select * from final
