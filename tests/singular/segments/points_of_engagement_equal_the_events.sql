-- Counted again from the facts, not from the ledger, and halved by another formula.
{%- set visits = {
    'session': '1', 'page_view': 'page_view_count', 'product_view': 'product_view_count',
    'search': 'search_count', 'cart_add': 'cart_add_count', 'checkout': 'checkout_count',
} %}
{%- set messages = {
    'email_open': 'opened_at', 'email_click': 'clicked_at',
    'email_unsubscribe': 'unsubscribed_at', 'email_complaint': 'complained_at',
} %}
{%- set others = {
    'social_interaction': ['fct_social_interactions', 'interaction_date', 'true'],
    'service_interaction': ['fct_service_interactions', 'opened_date', 'true'],
    'coupon_redemption': ['fct_coupon_redemptions', 'redeemed_date', 'true'],
    'order': ['fct_orders', 'order_date', 'is_valid'],
} %}
with events as (
    {%- for event_type, count_column in visits.items() %}
    select
        customer_key,
        '{{ event_type }}' as event_type,
        session_date as event_date,
        {{ count_column }} as event_count
    from {{ ref('fct_web_sessions') }}
    union all
    {%- endfor %}
    {%- for event_type, happened_at in messages.items() %}
    select
        customer_key,
        '{{ event_type }}' as event_type,
        {{ local_date(happened_at) }} as event_date,
        1 as event_count
    from {{ ref('fct_messages') }}
    where channel = 'email' and {{ happened_at }} is not null
    union all
    {%- endfor %}
    {%- for event_type, fact in others.items() %}
    select
        customer_key,
        '{{ event_type }}' as event_type,
        {{ fact[1] }} as event_date,
        1 as event_count
    from {{ ref(fact[0]) }}
    where {{ fact[2] }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

days as (
    select
        events.customer_key,
        weights.channel,
        events.event_date,
        weights.effect,
        least(sum(events.event_count), max(weights.daily_cap)) * max(weights.weight)
        * exp(
            -ln(2) * ({{ as_of_date() }} - events.event_date) / max(weights.half_life_days)
        ) as points
    from events
    inner join {{ ref('engagement_weights') }} as weights on events.event_type = weights.event_type
    inner join {{ ref('profiled_customers') }} as customers
        on events.customer_key = customers.customer_key
    left join {{ ref('fct_permissions') }} as refusals
        on
            events.customer_key = refusals.customer_key
            and refusals.purpose = 'tracking'
            and refusals.reason in ('withdrawn', 'objected', 'restricted')
            and weights.channel = 'web'
    where
        events.event_date < {{ as_of_date() }}
        and events.event_count > 0
        and refusals.customer_key is null
    group by
        events.customer_key, events.event_type, weights.channel, weights.effect, events.event_date
),

expected as (
    select
        days.customer_key,
        days.channel,
        sum(cast(days.points as decimal(18, 9))) as points
    from days
    where
        days.effect = 'adds'
        and not exists (
            select 1 from days as resets
            where
                resets.effect = 'resets'
                and resets.customer_key = days.customer_key
                and resets.channel = days.channel
                and resets.event_date >= days.event_date
        )
    group by days.customer_key, days.channel
)

select
    coalesce(expected.customer_key, found.customer_key) as customer_key,
    coalesce(expected.channel, found.channel) as channel,
    expected.points,
    found.points as found_points
from expected
full outer join {{ ref('engagement_points') }} as found
    on expected.customer_key = found.customer_key and expected.channel = found.channel
where abs(coalesce(expected.points, 0) - coalesce(found.points, 0)) > 0.000001
