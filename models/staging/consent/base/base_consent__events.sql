{%- set identifiers = {
    'customer_id': 'source.customer_id',
    'email': 'lower(source.email)',
    'esp_contact_id': 'source.esp_contact_id',
    'phone': clean_phone('source.phone'),
} %}
with source as (
    select * from {{ landing('consent', 'consent_events') }}
),

standardised as (
    select
        source.*,
        {{ clean_email('email') }} as clean_email,
        {{ clean_phone('phone') }} as clean_phone,
        {{ standardise('purpose', 'purpose') }} as clean_purpose,
        {{ standardise('action', 'consent_action') }} as clean_action,
        {{ is_erased(identifiers, 'source.occurred_at') }} as is_withheld
    from source
    {{ erased_joins('source', identifiers) }}
),

-- A no whose time nobody can read counts from when it was loaded, or at once: never not at all.
timed as (
    select
        *,
        coalesce(clean_action in ('withdrawn', 'objected', 'restricted'), false)
            as takes_permission,
        coalesce(
            occurred_at,
            case
                when clean_action in ('withdrawn', 'objected', 'restricted')
                    then coalesce(loaded_at, {{ as_of_at() }})
            end
        ) as clean_occurred_at
    from standardised
),

judged as (
    select
        *,
        {{ reject_reason([
            ('event_id is null', 'event_id is missing'),
            (
                'customer_id is null and email is null and esp_contact_id is null'
                ~ ' and phone is null',
                'no person is given',
            ),
            (
                'customer_id is null and clean_email is null and esp_contact_id is null'
                ~ ' and phone is null',
                'the only identifier is no e-mail address',
            ),
            ('clean_purpose is null', 'purpose is missing or unknown'),
            ('clean_action is null', 'action is missing or unknown'),
            (
                'clean_occurred_at is null',
                'occurred_at is missing or no time',
            ),
            (
                is_absurd_time('clean_occurred_at') ~ ' and not takes_permission',
                'occurred_at is before 1990',
            ),
        ]) }} as reject_reason,
        -- Permission is not subject to the clock: grants wait for their time downstream, and
        -- everything that takes permission away applies at once.
        false as is_not_yet
    from timed
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
        customer_id,
        clean_email as email,
        esp_contact_id,
        clean_phone as phone,
        clean_purpose as purpose,
        clean_action as action,
        list_id,
        legal_basis,
        policy_version,
        lower(collected_via) as collected_via,
        source_system,
        evidence,
        clean_occurred_at as occurred_at,
        loaded_at,
        md5(event_id) as row_key,
        row_status,
        reject_reason,
        {{ unusable_columns([
            ('email is not null and clean_email is null', 'email'),
            ('phone is not null and clean_phone is null', 'phone'),
        ]) }} as unusable_columns
    from ranked
    where row_status <> 'withheld'
    {{ and_withheld('ranked') }}
)

select * from final
