{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ restate_changed(this, 'visitor_hash', visitor_fingerprints()) }}"
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
{#- Read twice, with a session id and without: what two places share, an engine writes down whole,
    and this is most of what a shop has. -#}
{%- set visits %}
    select
        store,
        {{ identifier_type(['anonymous_id', 'customer_id', 'email', 'esp_contact_id']) }}
            as visitor_type,
        coalesce(anonymous_id, customer_id, email, esp_contact_id) as visitor,
        session_id,
        anonymous_id,
        customer_id,
        email,
        esp_contact_id,
        event_id,
        event_type,
        occurred_at,
        engaged_seconds,
        {{ entry_columns | join(', ') }},
        visitor_hash,
        fingerprint
    from {{ ref('stg_web__events') }}
    where is_personal and {{ is_restated(this, 'visitor_hash') }}
{%- endset %}

-- Visits: what the tracker groups by a session id, and, where it gives none, events of one visitor
-- with less than 30 minutes between them. A session belongs to the device, or else to whoever was
-- named; the surest identifier that any of its events came with says who it was.
with spaced as (
    select
        *,
        lag(occurred_at) over (
            partition by store, visitor_type, visitor order by occurred_at, event_id
        ) as previous_at
    from ({{ visits }} and session_id is null) as visits
),

cut as (
    select
        * exclude (previous_at),
        sum(
            case
                when previous_at is null or occurred_at >= previous_at + interval '30 minutes'
                    then 1
                else 0
            end
        ) over (
            partition by store, visitor_type, visitor
            order by occurred_at, event_id
            rows between unbounded preceding and current row
        ) as session_number
    from spaced
),

numbered as (
    select
        *,
        1 as session_number
    from ({{ visits }} and session_id is not null) as visits
    union all
    select * from cut
),

final as (
    select
        store,
        visitor_type,
        visitor,
        -- A session of ours is named after its visitor and its beginning.
        coalesce(
            session_id,
            visitor || '/'
            || {{ dbt.datediff("timestamp '1970-01-01 00:00:00'", 'min(occurred_at)', 'second') }}
        ) as session_id,
        session_id is null as is_cut,
        case
            when count(customer_id) > 0 then 'customer_id'
            when count(email) > 0 then 'email'
            when count(esp_contact_id) > 0 then 'esp_contact_id'
            else 'anonymous_id'
        end as identifier_type,
        coalesce(min(customer_id), min(email), min(esp_contact_id), min(anonymous_id))
            as identifier,
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
        {%- for column, name in entry_columns.items() %}
        {{ first_of(column, ['occurred_at', 'event_id']) }} as {{ name }},
        {%- endfor %}
        min(visitor_hash) as visitor_hash,
        {{ fingerprint_of_all('fingerprint') }} as fingerprint
    from numbered
    group by store, visitor_type, visitor, session_id, session_number
)

select * from final
