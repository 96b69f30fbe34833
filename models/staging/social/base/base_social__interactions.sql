{%- set identifiers = {'customer_id': 'source.customer_id', 'email': 'lower(source.email)'} %}
with source as (
    select * from {{ landing('social', 'social_interactions') }}
),

standardised as (
    select
        source.*,
        {{ clean_email('email') }} as clean_email,
        {{ standardise('interaction_type', 'interaction_type') }} as clean_interaction_type,
        {{ is_erased(identifiers, 'source.occurred_at') }} as is_withheld,
        {{ is_expired('social_interactions', 'source.occurred_at') }} as is_expired
    from source
    {{ erased_joins('source', identifiers) }}
),

judged as (
    select
        *,
        {{ reject_reason([
            ('event_id is null', 'event_id is missing'),
            ('customer_id is null and email is null', 'no person is given'),
            (
                'customer_id is null and clean_email is null',
                'the only identifier is no e-mail address',
            ),
            ('clean_interaction_type is null', 'interaction_type is missing or unknown'),
            ('occurred_at is null', 'occurred_at is missing or no time'),
            (is_absurd_time('occurred_at'), 'occurred_at is before 1990'),
        ]) }} as reject_reason,
        coalesce(occurred_at >= {{ as_of_at() }}, false) as is_not_yet
    from standardised
),

ranked as (
    select
        *,
        {{ row_status(['store', 'event_id'], expires=true) }} as row_status
    from judged
),

final as (
    select
        store,
        event_id,
        customer_id,
        clean_email as email,
        lower(network) as network,
        clean_interaction_type as interaction_type,
        occurred_at,
        loaded_at,
        event_id as row_key,
        row_status,
        reject_reason,
        {{ unusable_columns([
            ('email is not null and clean_email is null', 'email'),
        ]) }} as unusable_columns
    from ranked
    where row_status not in ('withheld', 'expired')
    {{ and_withheld('ranked') }}
)

select * from final
