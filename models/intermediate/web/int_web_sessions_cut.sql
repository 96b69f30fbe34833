{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ restate_changed(this, 'visitor_hash', visitor_fingerprints(), buckets=100000) }}"
) }}

{#- Of the first event of a visit. -#}
{%- set entry_columns = {
    'page_url': 'entry_url',
    'referrer_url': 'referrer_url',
    'utm_source': 'utm_source',
    'utm_medium': 'utm_medium',
    'utm_campaign': 'utm_campaign',
    'device_type': 'device_type',
} -%}
-- Visits: what the tracker groups by a session id, and, where it gives none, events of one visitor
-- with less than 30 minutes between them. A session belongs to the device, or else to whoever was
-- named; the surest identifier that any of its events came with says who it was. Where they name
-- two of one kind, on a device, the device says it, which is nobody if several people share it.
-- While visits are cut, visitors are told apart by their fingerprints, and nothing but the times is
-- sorted: events at the same moment are in the same visit.
with moments as (
    select distinct
        visitor_hash,
        occurred_at
    from {{ ref('stg_web__events') }}
    where is_personal and session_id is null and {{ is_restated(this, 'visitor_hash') }}
),

spaced as (
    select
        *,
        lag(occurred_at) over (partition by visitor_hash order by occurred_at) as previous_at
    from moments
),

cut as (
    select
        visitor_hash,
        occurred_at,
        sum(
            case
                when previous_at is null or occurred_at >= previous_at + interval '30 minutes'
                    then 1
                else 0
            end
        ) over (
            partition by visitor_hash
            order by occurred_at
            rows between unbounded preceding and current row
        ) as session_number
    from spaced
),

visits as (
    select * from {{ ref('stg_web__events') }}
    where is_personal and {{ is_restated(this, 'visitor_hash') }}
),

numbered as (
    select
        visits.*,
        case when visits.session_id is null then cut.session_number end as session_number
    from visits
    left join cut
        on
            visits.visitor_hash = cut.visitor_hash
            and visits.occurred_at = cut.occurred_at
            and visits.session_id is null
),

grouped as (
    select
        store,
        {{ identifier_type(['anonymous_id', 'customer_id', 'email', 'esp_contact_id']) }}
            as visitor_type,
        coalesce(anonymous_id, customer_id, email, esp_contact_id) as visitor,
        session_id as given_session_id,
        case
            {%- for type in ['customer_id', 'email', 'esp_contact_id'] %}
            when min({{ type }}) <> max({{ type }}) then 'anonymous_id'
            when min({{ type }}) is not null then '{{ type }}'
            {%- endfor %}
            else 'anonymous_id'
        end as identifier_type,
        min(customer_id) as named_customer_id,
        min(email) as named_email,
        min(esp_contact_id) as named_contact_id,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        count(*) as event_count,
        count(case when event_type = 'page_view' then 1 end) as page_view_count,
        count(case when event_type = 'product_view' then 1 end) as product_view_count,
        count(case when event_type = 'search' then 1 end) as search_count,
        count(case when event_type = 'add_to_cart' then 1 end) as cart_add_count,
        count(case when event_type = 'checkout_started' then 1 end) as checkout_count,
        count(case when event_type = 'order_placed' then 1 end) as order_count,
        sum(coalesce(engaged_seconds, 0)) as engaged_seconds,
        {{ first_of(entry_columns, ['occurred_at', 'event_id']) }},
        visitor_hash,
        {{ fingerprint_of_all('fingerprint') }} as fingerprint
    from numbered
    group by
        store,
        {{ identifier_type(['anonymous_id', 'customer_id', 'email', 'esp_contact_id']) }},
        coalesce(anonymous_id, customer_id, email, esp_contact_id),
        session_id,
        session_number,
        visitor_hash
),

final as (
    select
        store,
        visitor_type,
        visitor,
        -- A session of ours is named after its visitor and its beginning.
        coalesce(
            given_session_id,
            visitor || '/'
            || {{ dbt.datediff("timestamp '1970-01-01 00:00:00'", 'started_at', 'second') }}
        ) as session_id,
        given_session_id is null as is_cut,
        identifier_type,
        case identifier_type
            when 'customer_id' then named_customer_id
            when 'email' then named_email
            when 'esp_contact_id' then named_contact_id
            else visitor
        end as identifier,
        started_at,
        ended_at,
        event_count,
        page_view_count,
        product_view_count,
        search_count,
        cart_add_count,
        checkout_count,
        order_count,
        engaged_seconds,
        {{ of_first(entry_columns) }},
        visitor_hash,
        fingerprint
    from grouped
)

select * from final
