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

messages as (
    select * from {{ ref('int_messages_followed') }}
),

campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

emails as (
    select messages.*
    from messages
    left join campaigns
        on messages.store = campaigns.store and messages.campaign_id = campaigns.campaign_id
    where coalesce(messages.channel, campaigns.channel, 'email') = 'email'
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
    {%- for column, event_name in {
        'sent_at': 'email_sent', 'delivered_at': 'email_delivered',
        'likely_human_opened_at': 'email_open', 'clicked_at': 'email_click',
    }.items() %}
    union all
    select
        store,
        identifier_type,
        identifier,
        {{ local_date(column) }} as activity_date,
        '{{ event_name }}' as event_name,
        null as engaged_seconds
    from emails
    where {{ column }} is not null
    {%- endfor %}
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
    union all
    select
        store,
        'customer_id' as identifier_type,
        customer_id as identifier,
        {{ local_date('redeemed_at') }} as activity_date,
        'coupon_redemption' as event_name,
        null as engaged_seconds
    from {{ ref('stg_shop__coupon_redemptions') }}
),

final as (
    select
        identifiers.dated_key,
        identifiers.customer_key,
        happened.activity_date,
        greatest(
            happened.activity_date,
            coalesce({{ local_date('identifiers.linked_at') }}, happened.activity_date)
        ) as known_date,
        {{ local_date('identifiers.shared_at') }} as shared_date,
        {%- for event_name in [
            'product_view', 'search', 'cart_add', 'checkout', 'email_sent', 'email_delivered',
            'email_open', 'email_click', 'social_interaction', 'service_interaction',
            'coupon_redemption',
        ] %}
        cast(count(case when happened.event_name = '{{ event_name }}' then 1 end) as integer)
            as {{ event_name }}_count,
        {%- endfor %}
        cast(
            max(
                case
                    when happened.event_name in (
                        'visit', 'page_view', 'product_view', 'search', 'cart_add', 'checkout'
                    ) then 1
                    else 0
                end
            ) as integer
        ) as visit_count,
        cast(coalesce(sum(happened.engaged_seconds), 0) as integer) as engaged_seconds
    from happened
    inner join identifiers
        on
            happened.store = identifiers.store
            and happened.identifier_type = identifiers.identifier_type
            and happened.identifier = identifiers.identifier
    group by 1, 2, 3, 4, 5
)

select * from final
