{#
    What visits are made from, as `restate_changed` asks for it: every visitor, and the fingerprint
    of all events of theirs.

    Returns: str, a query.
#}
{% macro visitor_fingerprints() -%}
    {%- set visitors = ['anonymous_id', 'customer_id', 'email', 'esp_contact_id'] -%}
    {%- set key_hash = lettershop.fingerprint([
        'store', lettershop.identifier_type(visitors), 'coalesce(' ~ visitors | join(', ') ~ ')',
    ]) -%}
    select
        {{ key_hash }} as key_hash,
        {{ lettershop.fingerprint_of_all('fingerprint') }} as fingerprint
    from {{ ref('stg_web__events') }}
    where is_personal
    group by {{ key_hash }}
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
        {{ lettershop.fingerprint(['store', 'message_id']) }} as key_hash,
        {{ lettershop.fingerprint([
            lettershop.fingerprint_of_all('fingerprint'),
            '(select ' ~ lettershop.fingerprint_of_all(
                lettershop.fingerprint(['priority', 'pattern', 'is_whole', 'kind'])
            ) ~ ' from ' ~ ref('user_agent_rules') ~ ')',
        ]) }} as fingerprint
    from {{ ref('stg_esp__events') }}
    where occurred_at < {{ lettershop.as_of_at() }}
    group by {{ lettershop.fingerprint(['store', 'message_id']) }}
    {%- if has_reactions %}
    having count(case when event_type in ('opened', 'clicked') then 1 end) > 0
    {%- endif -%}
{%- endmacro %}

{#
    The same for the ledger: every customer, and the fingerprint of all that their days add up. Visits
    and messages carry one already; they are added up by identifier, of which there are few, and
    only then attached to the customer.

    Returns: str, a query.
#}
{% macro customer_fingerprints() -%}
    {%- set attached = [
        ['fct_orders', 'is_valid', [
            "'order'", 'store', 'order_id', 'order_date', 'product_base_amount',
        ]],
        ['fct_refunds', "effect = 'revenue'", [
            "'refund'", 'store', 'refund_id', 'refund_date', 'product_base_amount',
        ]],
        ['fct_social_interactions', 'true', ["'social'", 'store', 'event_id', 'interaction_date']],
        ['fct_service_interactions', 'true', ["'service'", 'store', 'interaction_id', 'opened_date']],
        ['fct_coupon_redemptions', 'true', [
            "'redemption'", 'store', 'redemption_id', 'redeemed_date',
        ]],
    ] -%}
    {#- Days begin by the time zone, and what is an e-mail the campaign may say. -#}
    {%- set zone = "'" ~ var('shop_timezone') ~ "'" -%}
    {%- set identified = [
        ['int_web_sessions_cut', ["'session'", zone, 'movements.session_id', 'movements.fingerprint']],
        ['int_messages_followed', [
            "'message'", zone, 'movements.message_id', 'movements.fingerprint', 'campaigns.channel',
        ]],
    ] -%}
    select
        key_hash,
        {{ lettershop.fingerprint_of_all('fingerprint') }} as fingerprint
    from (
        {%- for model, condition, columns in attached %}
        select
            {{ lettershop.fingerprint(['customer_key']) }} as key_hash,
            {{ lettershop.fingerprint(columns) }} as fingerprint
        from {{ ref(model) }}
        where customer_key is not null and {{ condition }}
        union all
        {%- endfor %}
        {%- for model, columns in identified %}
        select
            {{ lettershop.fingerprint(['identifiers.customer_key']) }} as key_hash,
            named.fingerprint
        from (
            select
                movements.store,
                movements.identifier_type,
                movements.identifier,
                {{ lettershop.fingerprint_of_all(lettershop.fingerprint(columns)) }} as fingerprint
            from {{ ref(model) }} as movements
            {%- if model == 'int_messages_followed' %}
            left join {{ ref('dim_campaigns') }} as campaigns
                on
                    movements.store = campaigns.store
                    and movements.campaign_id = campaigns.campaign_id
            {%- endif %}
            group by movements.store, movements.identifier_type, movements.identifier
        ) as named
        inner join {{ ref('dim_identifiers') }} as identifiers
            on
                named.store = identifiers.store
                and named.identifier_type = identifiers.identifier_type
                and named.identifier = identifiers.identifier
        where identifiers.customer_key is not null
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as movements
    group by key_hash
{%- endmacro %}
