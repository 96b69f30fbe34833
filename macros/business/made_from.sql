{#
    What visits are made from, as `restate_changed` asks for it: every visitor, and the fingerprint
    of all events of theirs.

    Returns: str, a query.
#}
{% macro visitor_fingerprints() -%}
    select
        visitor_hash as changed_key,
        {{ lettershop.fingerprint_of_all('fingerprint') }} as fingerprint
    from {{ ref('stg_web__events') }}
    where is_personal
    group by visitor_hash
{%- endmacro %}

{#
    The fingerprint of the visitor of a site event: the device, or else whoever was named.

    Returns: str, a SQL expression of an integer type.
#}
{% macro visitor_hash() -%}
    {%- set visitors = ['anonymous_id', 'customer_id', 'email', 'esp_contact_id'] -%}
    {{ lettershop.fingerprint([
        'store', lettershop.identifier_type(visitors), 'coalesce(' ~ visitors | join(', ') ~ ')',
    ]) }}
{%- endmacro %}

{#
    The same for messages.

    Args:
        has_reactions (bool): only messages that were opened or clicked.
    Returns: str, a query.
#}
{% macro message_fingerprints(has_reactions=false) -%}
    select
        message_hash as changed_key,
        {{ lettershop.message_fingerprint() }} as fingerprint
    from {{ ref('stg_esp__events') }}
    where occurred_at < {{ lettershop.as_of_at() }}
    group by message_hash
    {%- if has_reactions %}
    having count(case when event_type in ('opened', 'clicked') then 1 end) > 0
    {%- endif -%}
{%- endmacro %}

{#
    The fingerprint of a message; the rules that tell people from machines are part of what it is
    made from.

    Returns: str, an aggregate expression over the message's rows in stg_esp__events.
#}
{% macro message_fingerprint() -%}
    {{ lettershop.fingerprint([
        lettershop.fingerprint_of_all('fingerprint'),
        '(select ' ~ lettershop.fingerprint_of_all(
            lettershop.fingerprint(['priority', 'pattern', 'is_whole', 'kind'])
        ) ~ ' from ' ~ ref('user_agent_rules') ~ ')',
    ]) }}
{%- endmacro %}

{#
    Everything that the ledger adds up, a row per movement: the customer, the day, what the day gets
    of it, and the fingerprint of all that. Counts that a movement has nothing to do with are null.
    The fingerprint of a message is that of its sending; its other movements have 0, which changes
    no sum of fingerprints.

    Args:
        condition (str): SQL over customer_key. Asked of every fact by itself, since an engine does
            not look through a union for what it need not read.
        has_counts (bool): else only rows with a fingerprint, for whoever reads nothing but that.
    Returns: str, a query.
#}
{% macro customer_movements(condition='customer_key is not null', has_counts=true) -%}
    {#- Cheaper than the day itself, which begins by the time zone. -#}
    {%- set zone = "'" ~ var('shop_timezone') ~ "'" -%}
    select
        customer_key,
        order_date as activity_date,
        1 as order_count,
        product_base_amount as net_revenue_base_amount,
        {{ lettershop.fingerprint([
            "'order'", 'store', 'order_id', 'order_date', 'product_base_amount',
        ]) }} as fingerprint
    from {{ ref('fct_orders') }}
    where is_valid and {{ condition }}
    union all by name
    select
        customer_key,
        refund_date as activity_date,
        -product_base_amount as net_revenue_base_amount,
        {{ lettershop.fingerprint([
            "'refund'", 'store', 'refund_id', 'refund_date', 'product_base_amount',
        ]) }} as fingerprint
    from {{ ref('fct_refunds') }}
    where effect = 'revenue' and {{ condition }}
    {%- set counts = [
        'page_view_count', 'product_view_count', 'search_count', 'cart_add_count',
        'checkout_count', 'engaged_seconds',
    ] %}
    union all by name
    select
        customer_key,
        session_date as activity_date,
        1 as session_count,
        {{ counts | join(', ') }},
        {{ lettershop.fingerprint(["'session'", zone, 'fingerprint']) }} as fingerprint
    from {{ ref('fct_web_sessions') }}
    where {{ condition }}
    union all by name
    {#- One reading, multiplied: as six readings of what they share, an engine would write all
        messages down first. -#}
    {%- set events = {
        'sent': 'email_sent_count', 'delivered': 'email_delivered_count',
        'opened': 'email_open_count', 'clicked': 'email_click_count',
        'unsubscribed': 'email_unsubscribe_count', 'complained': 'email_complaint_count',
    } %}
    select
        customer_key,
        {{ lettershop.local_date('happened_at') }} as activity_date,
        {%- for event, count in events.items() %}
        case when event = '{{ event }}' then 1 end as {{ count }},
        {%- endfor %}
        case
            when event = 'sent'
                then {{ lettershop.fingerprint(["'message'", zone, 'fingerprint']) }}
            else 0
        end as fingerprint
    from (
        select
            messages.customer_key,
            messages.fingerprint,
            events.event,
            case events.event
                {%- for event in events %}
                when '{{ event }}' then messages.{{ event }}_at
                {%- endfor %}
            end as happened_at
        from {{ ref('fct_messages') }} as messages
        cross join (
            {%- for event in events if has_counts or event == 'sent' %}
            {{ 'union all ' if not loop.first }}select '{{ event }}' as event
            {%- endfor %}
        ) as events
        where messages.channel = 'email' and {{ condition }}
    ) as message_events
    where happened_at is not null
    {%- for model, id, day, count in [
        ['fct_social_interactions', 'event_id', 'interaction_date', 'social_interaction_count'],
        ['fct_service_interactions', 'interaction_id', 'opened_date', 'service_interaction_count'],
        ['fct_coupon_redemptions', 'redemption_id', 'redeemed_date', 'coupon_redemption_count'],
    ] %}
    union all by name
    select
        customer_key,
        {{ day }} as activity_date,
        1 as {{ count }},
        {{ lettershop.fingerprint(["'" ~ model ~ "'", 'store', id, day]) }} as fingerprint
    from {{ ref(model) }}
    where {{ condition }}
    {%- endfor %}
{%- endmacro %}

{#
    The same for the ledger: every customer, and the fingerprint of all that their days add up.

    Returns: str, a query.
#}
{% macro customer_fingerprints() -%}
    select
        customer_key as changed_key,
        {{ lettershop.fingerprint_of_all('fingerprint') }} as fingerprint
    from ({{ lettershop.customer_movements(has_counts=false) }}) as movements
    group by customer_key
{%- endmacro %}
