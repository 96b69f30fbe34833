{%- set identifiers = {'customer_id': 'source.customer_id', 'email': 'lower(source.email)'} %}
with source as (
    select * from {{ landing('service', 'service_interactions') }}
),

standardised as (
    select
        source.*,
        {{ clean_email('email') }} as clean_email,
        {{ standardise('channel', 'service_channel') }} as clean_channel,
        {{ is_erased(identifiers, 'source.opened_at') }} as is_withheld,
        {{ is_expired('service_interactions', 'source.opened_at') }} as is_expired
    from source
    {{ erased_joins('source', identifiers) }}
),

judged as (
    select
        *,
        {{ reject_reason([
            ('interaction_id is null', 'interaction_id is missing'),
            ('customer_id is null and email is null', 'no person is given'),
            (
                'customer_id is null and clean_email is null',
                'the only identifier is no e-mail address',
            ),
            ('opened_at is null', 'opened_at is missing or no time'),
            (is_absurd_time('opened_at'), 'opened_at is before 1990'),
            ('closed_at < opened_at', 'closed before it was opened'),
        ]) }} as reject_reason,
        coalesce(opened_at >= {{ as_of_at() }}, false) as is_not_yet
    from standardised
),

ranked as (
    select
        *,
        {{ row_status(['store', 'interaction_id'], expires=true) }} as row_status
    from judged
),

final as (
    select
        store,
        interaction_id,
        customer_id,
        clean_email as email,
        clean_channel as channel,
        topic,
        rating,
        opened_at,
        -- What was closed at or after the clock was still open before it.
        case when closed_at < {{ as_of_at() }} then closed_at end as closed_at,
        loaded_at,
        interaction_id as row_key,
        row_status,
        reject_reason,
        {{ unusable_columns([
            ('email is not null and clean_email is null', 'email'),
            ('channel is not null and clean_channel is null', 'channel'),
        ]) }} as unusable_columns
    from ranked
    where row_status not in ('withheld', 'expired')
    {{ and_withheld('ranked') }}
)

select * from final
