{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ reopen_versions(
        this, 'web', 'web_events', ['customer_id', 'email', 'esp_contact_id', 'anonymous_id']
    ) }}"
) }}
{%- set identifiers = {
    'customer_id': 'source.customer_id',
    'email': 'source.email',
    'esp_contact_id': 'source.esp_contact_id',
    'anonymous_id': 'source.anonymous_id',
} %}
{#- What staging keeps of an event. -#}
{%- set columns = [
    'store', 'event_id', 'anonymous_id', 'customer_id', 'esp_contact_id', 'email', 'session_id',
    'event_type', 'product_id', 'quantity', 'unit_price', 'currency', 'cart_id', 'order_id',
    'search_term', 'page_url', 'referrer_url', 'utm_source', 'utm_medium', 'utm_campaign',
    'utm_content', 'device_type', 'engaged_seconds', 'is_personal', 'occurred_at',
] %}
{%- set standardised %}
    select
        *,
        {{ clean_email('email') }} as clean_email,
        {{ standardise('event_type', 'web_event_type') }} as clean_event_type,
        coalesce(is_tracking_allowed, true) as is_personal
    from {{ newly_landed(this, 'web', 'web_events') }} as landed
{%- endset %}
{%- set judged %}
    select
        store,
        event_id,
        -- Who does not allow tracking is nobody we know: the event counts, the person does not.
        case when is_personal then anonymous_id end as anonymous_id,
        case when is_personal then customer_id end as customer_id,
        case when is_personal then esp_contact_id end as esp_contact_id,
        case when is_personal then clean_email end as email,
        session_id,
        clean_event_type as event_type,
        product_id,
        quantity,
        unit_price,
        upper(currency) as currency,
        case when is_personal then cart_id end as cart_id,
        case when is_personal then order_id end as order_id,
        case when is_personal then search_term end as search_term,
        page_url,
        referrer_url,
        utm_source,
        utm_medium,
        utm_campaign,
        utm_content,
        lower(device_type) as device_type,
        -- Nobody reads one page for a day.
        case when engaged_seconds between 0 and 86400 then engaged_seconds end as engaged_seconds,
        is_personal,
        occurred_at,
        loaded_at,
        deleted_at,
        {{ reject_reason([
            ('event_id is null', 'event_id is missing'),
            (
                'anonymous_id is null and customer_id is null and esp_contact_id is null'
                ~ ' and email is null',
                'no visitor is given',
            ),
            (
                'anonymous_id is null and customer_id is null and esp_contact_id is null'
                ~ ' and clean_email is null',
                'the only visitor is no e-mail address',
            ),
            ('clean_event_type is null', 'event_type is missing or unknown'),
            ('occurred_at is null', 'occurred_at is missing or no time'),
            (is_absurd_time('occurred_at'), 'occurred_at is before 1990'),
            ('quantity < 0', 'quantity is negative'),
            (is_absurd_quantity('quantity'), 'quantity is absurd'),
            ('unit_price < 0', 'unit_price is negative'),
            (is_absurd_amount('unit_price'), 'unit_price is absurd'),
        ]) }} as reject_reason,
        {{ unusable_columns([
            ('email is not null and clean_email is null', 'email'),
            ('engaged_seconds < 0 or engaged_seconds > 86400', 'engaged_seconds'),
        ]) }} as unusable_columns
    from ({{ standardised }}) as standardised
    {{ and_reopened(this, columns) }}
{%- endset %}
{%- set candidates %}
    select
        source.*,
        coalesce(occurred_at >= {{ as_of_at() }}, false) as is_not_yet,
        {{ is_erased(identifiers, 'source.occurred_at') }} as is_withheld,
        {{ is_expired('web_events', 'source.occurred_at') }} as is_expired
    from ({{ judged }}) as source
    {{ erased_joins('source', identifiers) }}
{%- endset %}
-- Incremental (docs/decisions/0013): what was landed since is judged, and with it whatever the new
-- rows, the clock or an erasure open again. Of withheld and expired rows only the fact is kept.
with ranked as (
    {{ judged_versions(
        candidates, candidate_keys(this, 'web', 'web_events'), ['store', 'event_id'], columns,
        {'relation': this, 'source_name': 'web', 'table_name': 'web_events'}
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
        case when is_kept and is_personal then {{ visitor_hash() }} end as visitor_hash,
        case when is_kept then {{ fingerprint(columns) }} end as fingerprint
    from (
        select
            *,
            row_status not in ('withheld', 'expired') as is_kept
        from ranked
    ) as judged
)

select * from final
