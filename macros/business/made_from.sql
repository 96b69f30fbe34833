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
        events (str): a relation of ESP events; by default all that the clock knows.
        has_reactions (bool): only messages that were opened or clicked.
    Returns: str, a query.
#}
{% macro message_fingerprints(events=none, has_reactions=false) -%}
    select
        store,
        message_id,
        {{ lettershop.fingerprint([
            lettershop.fingerprint_of_all('fingerprint'),
            '(select ' ~ lettershop.fingerprint_of_all(
                lettershop.fingerprint(['priority', 'pattern', 'is_whole', 'kind'])
            ) ~ ' from ' ~ ref('user_agent_rules') ~ ')',
        ]) }} as fingerprint
    {%- if events %}
    from {{ events }}
    {%- else %}
    from {{ ref('stg_esp__events') }}
    where occurred_at < {{ lettershop.as_of_at() }}
    {%- endif %}
    group by store, message_id
    {%- if has_reactions %}
    having count(case when event_type in ('opened', 'clicked') then 1 end) > 0
    {%- endif -%}
{%- endmacro %}

