{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ reopen_versions(
        this, 'esp', 'esp_events', ['customer_id', 'email', 'esp_contact_id'],
        unless=decides_for_good('source')
    ) }}"
) }}
{%- set identifiers = {
    'customer_id': 'source.customer_id',
    'email': 'source.email',
    'esp_contact_id': 'source.esp_contact_id',
} %}
{#- What staging keeps of an event. -#}
{%- set columns = [
    'store', 'event_id', 'message_id', 'campaign_id', 'esp_contact_id', 'customer_id', 'email',
    'channel', 'event_type', 'bounce_type', 'list_id', 'variant', 'link_url', 'user_agent',
    'is_machine', 'occurred_at',
] %}
{%- set standardised %}
    select
        *,
        {{ clean_email('email') }} as clean_email,
        {{ standardise('event_type', 'esp_event_type') }} as clean_event_type,
        {{ standardise('bounce_type', 'bounce_type') }} as clean_bounce_type,
        {{ standardise('channel', 'channel') }} as clean_channel
    from {{ newly_landed(this, 'esp', 'esp_events') }} as landed
{%- endset %}
{%- set judged %}
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
        deleted_at,
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
        {{ unusable_columns([
            ('email is not null and clean_email is null', 'email'),
            ('channel is not null and clean_channel is null', 'channel'),
            ('bounce_type is not null and clean_bounce_type is null', 'bounce_type'),
        ]) }} as unusable_columns
    from ({{ standardised }}) as standardised
    {{ and_reopened(this, columns) }}
{%- endset %}
{%- set candidates %}
    select
        source.*,
        -- What decides on permission and suppression is known at once, whatever the clock.
        coalesce(
            occurred_at >= {{ as_of_at() }}
            and event_type not in ('delivered', 'bounced', 'complained', 'unsubscribed'),
            false
        ) as is_not_yet,
        {{ is_erased(identifiers, 'source.occurred_at') }} as is_withheld,
        {{ is_expired('esp_events', 'source.occurred_at', decides_for_good('source')) }}
            as is_expired
    from ({{ judged }}) as source
    {{ erased_joins('source', identifiers) }}
{%- endset %}
-- Incremental (docs/decisions/0013): what was landed since is judged, and with it whatever the new
-- rows, the clock or an erasure open again. Of withheld and expired rows only the fact is kept.
with ranked as (
    {{ judged_versions(
        candidates, candidate_keys(this, 'esp', 'esp_events'), ['store', 'event_id'], columns,
        {'relation': this, 'source_name': 'esp', 'table_name': 'esp_events'}
    ) }}
),

final as (
    select
        {%- for column in columns %}
        case when is_kept then {{ column }} end as {{ column }},
        {%- endfor %}
        loaded_at,
        case when is_kept then deleted_at end as deleted_at,
        -- Only where somebody will look for it: ids are dear to write twice.
        case when row_status = 'rejected' then event_id end as row_key,
        row_status,
        case when is_kept then reject_reason end as reject_reason,
        case when is_kept then unusable_columns end as unusable_columns,
        case when is_kept then {{ fingerprint(['store', 'event_id']) }} end as event_hash,
        case when is_kept then {{ fingerprint(['store', 'message_id']) }} end as message_hash,
        case when is_kept then {{ fingerprint(columns) }} end as fingerprint
    from (
        select
            *,
            row_status not in ('withheld', 'expired') as is_kept
        from ranked
    ) as judged
)

select * from final
