{{ config(materialized='view') }}

-- Grain: customer as it was known, day on which something other than an order happened, and span
-- of days on which that is known: after known_date, and not after shared_date. Additive within one
-- past day. The counterpart of fct_customer_days for past days: see dim_dated_identifiers.
with identifiers as (
    select * from {{ ref('dim_dated_identifiers') }}
),

web_events as (
    select
        store,
        {{ identifier_type(['customer_id', 'email', 'esp_contact_id', 'anonymous_id']) }}
            as identifier_type,
        coalesce(customer_id, email, esp_contact_id, anonymous_id) as identifier,
        {{ local_date('occurred_at') }} as activity_date,
        case event_type
            when 'page_view' then 'page_view'
            when 'product_view' then 'product_view'
            when 'search' then 'search'
            when 'add_to_cart' then 'cart_add'
            when 'checkout_started' then 'checkout'
            else 'visit'
        end as event_name,
        engaged_seconds
    from {{ ref('stg_web__events') }}
),

happened as (
    select
        store,
        identifier_type,
        identifier,
        activity_date,
        event_name,
        engaged_seconds
    from web_events
    union all
    select
        store,
        {{ identifier_type(['customer_id', 'email']) }} as identifier_type,
        coalesce(customer_id, email) as identifier,
        {{ local_date('occurred_at') }} as activity_date,
        'social_interaction' as event_name,
        null as engaged_seconds
    from {{ ref('stg_social__interactions') }}
    union all
    select
        store,
        {{ identifier_type(['customer_id', 'email']) }} as identifier_type,
        coalesce(customer_id, email) as identifier,
        {{ local_date('opened_at') }} as activity_date,
        'service_interaction' as event_name,
        null as engaged_seconds
    from {{ ref('stg_service__interactions') }}
),

attributed as (
    select
        identifiers.dated_key,
        identifiers.customer_key,
        happened.activity_date,
        {{ local_date('identifiers.linked_at') }} as linked_date,
        {{ local_date('identifiers.shared_at') }} as shared_date,
        happened.event_name,
        happened.engaged_seconds
    from happened
    inner join identifiers
        on
            happened.store = identifiers.store
            and happened.identifier_type = identifiers.identifier_type
            and happened.identifier = identifiers.identifier
    {%- for event_name in ['sent', 'delivered', 'opened', 'clicked'] %}
    union all
    select
        dated_key,
        customer_key,
        {{ event_name }}_date as activity_date,
        known_date as linked_date,
        cast(null as date) as shared_date,
        'email_{{ event_name }}' as event_name,
        null as engaged_seconds
    from {{ ref('fct_dated_messages') }}
    where {{ event_name }}_date is not null
    {%- endfor %}
    union all
    select
        dated_key,
        customer_key,
        redeemed_date as activity_date,
        known_date as linked_date,
        cast(null as date) as shared_date,
        'coupon_redemption' as event_name,
        null as engaged_seconds
    from {{ ref('fct_dated_redemptions') }}
),

final as (
    select
        dated_key,
        customer_key,
        activity_date,
        greatest(activity_date, coalesce(linked_date, activity_date)) as known_date,
        shared_date,
        {%- for event_name, column in {
            'product_view': 'product_view_count', 'search': 'search_count',
            'cart_add': 'cart_add_count', 'checkout': 'checkout_count',
            'email_sent': 'email_sent_count', 'email_delivered': 'email_delivered_count',
            'email_opened': 'email_open_count', 'email_clicked': 'email_click_count',
            'social_interaction': 'social_interaction_count',
            'service_interaction': 'service_interaction_count',
            'coupon_redemption': 'coupon_redemption_count',
        }.items() %}
        cast(count(case when event_name = '{{ event_name }}' then 1 end) as integer)
            as {{ column }},
        {%- endfor %}
        cast(
            max(
                case
                    when event_name in (
                        'visit', 'page_view', 'product_view', 'search', 'cart_add', 'checkout'
                    ) then 1
                    else 0
                end
            ) as integer
        ) as visit_count,
        cast(coalesce(sum(engaged_seconds), 0) as integer) as engaged_seconds
    from attributed
    group by
        dated_key, customer_key, activity_date,
        greatest(activity_date, coalesce(linked_date, activity_date)), shared_date
)

select * from final
