{#
    What visits are made from, as `restate_changed` asks for it: the events of every visitor.

    Returns: str, a query.
#}
{% macro visitor_fingerprints() -%}
    select
        visitor_hash as changed_key,
        fingerprint
    from {{ ref('stg_web__events') }}
    where is_personal
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
    The same for messages: all of their events.

    Returns: str, a query.
#}
{% macro message_fingerprints() -%}
    select
        message_hash as changed_key,
        {{ lettershop.event_fingerprint() }} as fingerprint
    from {{ ref('stg_esp__events') }}
    where occurred_at < {{ lettershop.as_of_at() }}
{%- endmacro %}

{#
    The fingerprint of an event as a message is made from it: the rules that tell people from
    machines are part of it.

    Returns: str, a SQL expression over stg_esp__events.
#}
{% macro event_fingerprint() -%}
    {{ lettershop.fingerprint([
        'fingerprint',
        '(select ' ~ lettershop.fingerprint_of_all(
            lettershop.fingerprint(['priority', 'pattern', 'is_whole', 'kind'])
        ) ~ ' from ' ~ ref('user_agent_rules') ~ ')',
    ]) }}
{%- endmacro %}

{#
    The fingerprint of the identifier that a visit or a message came with.

    Args:
        relation (str): an alias; has store, identifier_type and identifier.
    Returns: str, a SQL expression of an integer type.
#}
{% macro identifier_fingerprint(relation) -%}
    {{ lettershop.fingerprint([
        relation ~ '.store', relation ~ '.identifier_type', relation ~ '.identifier',
    ]) }}
{%- endmacro %}

{#
    Everything that the ledger adds up, a row per movement: the customer, the day, what the day gets
    of it, and the fingerprint of all that. Counts that a movement has nothing to do with are null.
    The fingerprint of a message is that of its sending; its other movements have 0, which changes
    no sum of fingerprints.

    Args:
        restated (str): a table of `changed_key`, the customers to look at; none for all.
    Returns: str, a query.
#}
{% macro customer_movements(restated=none) -%}
    {#- Asked of every fact by itself, since an engine does not look through a union for what it need
        not read. -#}
    {%- set is_one -%}
        customer_key {{ 'in (select changed_key from ' ~ restated ~ ')' if restated else 'is not null' }}
    {%- endset -%}
    {{ lettershop.keyed_movements(is_one) }}
    {%- set counts = [
        'page_view_count', 'product_view_count', 'search_count', 'cart_add_count',
        'checkout_count', 'engaged_seconds',
    ] %}
    union all by name
    select
        identifiers.customer_key,
        {{ lettershop.local_date('sessions.started_at') }} as activity_date,
        1 as session_count,
        {%- for count in counts %}
        sessions.{{ count }},
        {%- endfor %}
        {{ lettershop.movement_fingerprint('session') }} as fingerprint
    from {{ ref('int_web_sessions_cut') }} as sessions
    {{ lettershop.customer_lookup('sessions') }}
    where {{ lettershop.is_looked_up('sessions', restated) }}
    union all by name
    {#- One reading, multiplied: as six readings of what they share, an engine would write all
        messages down first. -#}
    {%- set events = {
        'sent': ['sent_at', 'email_sent_count'],
        'delivered': ['delivered_at', 'email_delivered_count'],
        'opened': ['likely_human_opened_at', 'email_open_count'],
        'clicked': ['clicked_at', 'email_click_count'],
        'unsubscribed': ['unsubscribed_at', 'email_unsubscribe_count'],
        'complained': ['complained_at', 'email_complaint_count'],
    } %}
    select
        customer_key,
        {{ lettershop.local_date('happened_at') }} as activity_date,
        {%- for event, names in events.items() %}
        case when event = '{{ event }}' then 1 end as {{ names[1] }},
        {%- endfor %}
        case when event = 'sent' then {{ lettershop.movement_fingerprint('message') }} else 0 end
            as fingerprint
    from (
        select
            messages.customer_key,
            messages.fingerprint,
            events.event,
            case events.event
                {%- for event, names in events.items() %}
                when '{{ event }}' then messages.{{ names[0] }}
                {%- endfor %}
            end as happened_at
        from ({{ lettershop.emails(is_looked_up=true, restated=restated) }}) as messages
        cross join (
            {%- for event in events %}
            {{ 'union all ' if not loop.first }}select '{{ event }}' as event
            {%- endfor %}
        ) as events
    ) as message_events
    where happened_at is not null
{%- endmacro %}

{#
    Whose a visit or a message is, by the identifier that it came with.

    Args:
        relation (str): an alias; has store, identifier_type and identifier.
        restated (str): a table of `changed_key`, the customers to look at; none for all. Their
            identifiers are known before anything else is read, and found by their fingerprints:
            else everybody's rows would be looked up.
    Returns: str; customer_lookup a join with `identifiers`, is_looked_up a condition.
#}
{% macro customer_lookup(relation) -%}
    inner join {{ ref('dim_identifiers') }} as identifiers
        on
            {{ relation }}.store = identifiers.store
            and {{ relation }}.identifier_type = identifiers.identifier_type
            and {{ relation }}.identifier = identifiers.identifier
{%- endmacro %}

{% macro is_looked_up(relation, restated=none) -%}
    {%- if restated -%}
    identifiers.customer_key in (select changed_key from {{ restated }})
    and {{ lettershop.identifier_fingerprint(relation) }} in (
        select {{ lettershop.identifier_fingerprint('theirs') }}
        from {{ ref('dim_identifiers') }} as theirs
        where theirs.customer_key in (select changed_key from {{ restated }})
    )
    {%- else -%}
    identifiers.customer_key is not null
    {%- endif -%}
{%- endmacro %}

{#
    The messages that the ledger counts.

    Args:
        is_looked_up (bool): whose they are, as `customer_key`, too.
        restated (str): see `customer_lookup`.
    Returns: str, a query.
#}
{% macro emails(is_looked_up=false, restated=none) -%}
    select
        {{ 'identifiers.customer_key,' if is_looked_up }}
        messages.*
    from {{ ref('int_messages_followed') }} as messages
    {{ lettershop.customer_lookup('messages') if is_looked_up }}
    left join {{ ref('dim_campaigns') }} as campaigns
        on messages.store = campaigns.store and messages.campaign_id = campaigns.campaign_id
    where
        {{ lettershop.message_channel('messages', 'campaigns') }} = 'email'
        {{ 'and ' ~ lettershop.is_looked_up('messages', restated) if is_looked_up }}
{%- endmacro %}

{#
    The movements of facts that hold the customer's key.

    Args:
        condition (str): SQL over customer_key.
    Returns: str, a query; see `customer_movements`.
#}
{% macro keyed_movements(condition) -%}
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
    The fingerprint of a movement made of a row that has one. The time zone is a part of it: it
    decides on the day, and costs less than the day itself.

    Args:
        kind (str): session or message.
    Returns: str, a SQL expression over `fingerprint`.
#}
{% macro movement_fingerprint(kind) -%}
    {{ lettershop.fingerprint([
        "'" ~ kind ~ "'", "'" ~ var('shop_timezone') ~ "'", 'fingerprint',
    ]) }}
{%- endmacro %}

{#
    The same for the ledger: of every customer, what their days add up, visits and messages summed
    by the identifier that they came with before anybody is looked up. A fingerprint stands for the
    identifier: should two be alike, their customers are restated in every build, and rightly.

    Returns: str, a query.
#}
{% macro customer_fingerprints() -%}
    select
        identifiers.customer_key as changed_key,
        looked_up.fingerprint
    from (
        select
            identifier_fingerprint,
            {{ lettershop.fingerprint_of_all('fingerprint') }} as fingerprint
        from (
            select
                {{ lettershop.identifier_fingerprint('sessions') }} as identifier_fingerprint,
                {{ lettershop.movement_fingerprint('session') }} as fingerprint
            from {{ ref('int_web_sessions_cut') }} as sessions
            union all
            select
                {{ lettershop.identifier_fingerprint('messages') }} as identifier_fingerprint,
                {{ lettershop.movement_fingerprint('message') }} as fingerprint
            from ({{ lettershop.emails() }}) as messages
            where messages.sent_at is not null
        ) as unknown
        group by identifier_fingerprint
    ) as looked_up
    inner join {{ ref('dim_identifiers') }} as identifiers
        on
            looked_up.identifier_fingerprint
            = {{ lettershop.identifier_fingerprint('identifiers') }}
    union all
    select
        customer_key as changed_key,
        fingerprint
    from ({{ lettershop.keyed_movements('customer_key is not null') }}) as movements
{%- endmacro %}
