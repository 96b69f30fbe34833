{#
    What visits are made from, as `restate_changed` asks for it: every visitor, and the fingerprint
    of all events of theirs.

    Returns: str, a query.
#}
{% macro visitor_fingerprints() -%}
    select
        store,
        {{ lettershop.identifier_type(['anonymous_id', 'customer_id', 'email', 'esp_contact_id']) }}
            as visitor_type,
        coalesce(anonymous_id, customer_id, email, esp_contact_id) as visitor,
        {{ lettershop.fingerprint_of_all('fingerprint') }} as fingerprint
    from {{ ref('stg_web__events') }}
    where is_personal
    group by
        store,
        {{ lettershop.identifier_type(['anonymous_id', 'customer_id', 'email', 'esp_contact_id']) }},
        coalesce(anonymous_id, customer_id, email, esp_contact_id)
{%- endmacro %}

{#
    The same for messages; the rules that tell people from machines are part of what they are made
    from.

    Args:
        has_reactions (bool): only messages that were opened or clicked.
    Returns: str, a query.
#}
{% macro message_fingerprints(has_reactions=false) -%}
    select
        store,
        message_id,
        {{ lettershop.fingerprint([
            lettershop.fingerprint_of_all('fingerprint'),
            '(select ' ~ lettershop.fingerprint_of_all(
                lettershop.fingerprint(['priority', 'pattern', 'is_whole', 'kind'])
            ) ~ ' from ' ~ ref('user_agent_rules') ~ ')',
        ]) }} as fingerprint
    from {{ ref('stg_esp__events') }}
    where occurred_at < {{ lettershop.as_of_at() }}
    group by store, message_id
    {%- if has_reactions %}
    having count(case when event_type in ('opened', 'clicked') then 1 end) > 0
    {%- endif -%}
{%- endmacro %}


{#
    The same for the ledger: every customer, and the fingerprint of all that their days add up.

    Returns: str, a query.
#}
{% macro customer_fingerprints() -%}
    {%- set made_from = [
        ['fct_orders', 'is_valid', [
            "'order'", 'store', 'order_id', 'order_date', 'product_base_amount',
        ]],
        ['fct_refunds', "effect = 'revenue'", [
            "'refund'", 'store', 'refund_id', 'refund_date', 'product_base_amount',
        ]],
        ['fct_web_sessions', 'true', [
            "'session'", 'store', 'visitor_type', 'visitor', 'session_id', 'started_at',
            'session_date', 'page_view_count', 'product_view_count', 'search_count',
            'cart_add_count', 'checkout_count', 'engaged_seconds',
        ]],
        ['fct_messages', "channel = 'email'", [
            "'message'", 'store', 'message_id', 'sent_date', 'sent_at', 'delivered_at', 'opened_at',
            'clicked_at', 'unsubscribed_at', 'complained_at',
        ]],
        ['fct_social_interactions', 'true', ["'social'", 'store', 'event_id', 'interaction_date']],
        ['fct_service_interactions', 'true', ["'service'", 'store', 'interaction_id', 'opened_date']],
        ['fct_coupon_redemptions', 'true', [
            "'redemption'", 'store', 'redemption_id', 'redeemed_date',
        ]],
    ] -%}
    select
        customer_key,
        {{ lettershop.fingerprint_of_all('fingerprint') }} as fingerprint
    from (
        {%- for model, condition, columns in made_from %}
        select
            customer_key,
            {{ lettershop.fingerprint(columns) }} as fingerprint
        from {{ ref(model) }}
        where customer_key is not null and {{ condition }}
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as movements
    group by customer_key
{%- endmacro %}
