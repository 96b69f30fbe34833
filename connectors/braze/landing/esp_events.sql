-- One row per event of a message. A message is what one dispatch sent to one user. Aborted messages
-- were never sent and are no events; a hard bounce that Braze calls a drop is one.
{%- for table, channel, event_type, bounce_type in message_events %}
{{ 'union all' if not loop.first }}
select
    id as event_id,
    user_id || ':' || coalesce(dispatch_id, send_id, {{ campaign_of() }}, id) as message_id,
    {{ campaign_of() }} as campaign_id,
    user_id as esp_contact_id,
    {% if channel == 'email' %}email_address{% else %}cast(null as varchar){% endif %} as email,
    '{{ channel }}' as channel,
    {%- if table == 'email_bounce' %}
    case when is_drop then 'dropped' else 'bounced' end as event_type,
    case when not coalesce(is_drop, false) then 'hard' end as bounce_type,
    {%- else %}
    '{{ event_type }}' as event_type,
    {% if bounce_type %}'{{ bounce_type }}'{% else %}cast(null as varchar){% endif %} as bounce_type,
    {%- endif %}
    message_variation_id as variant,
    {% if table == 'email_click' %}url{% else %}cast(null as varchar){% endif %} as link_url,
    {%- if table in ('email_open', 'email_click', 'email_markasspam') %}
    user_agent,
    {%- else %}
    cast(null as varchar) as user_agent,
    {%- endif %}
    {%- if table == 'email_open' %}
    case when lower(machine_open) = 'true' then true end as is_machine,
    {%- elif table == 'email_click' %}
    is_suspected_bot_click as is_machine,
    {%- else %}
    cast(null as boolean) as is_machine,
    {%- endif %}
    {{ from_seconds('time') }} as occurred_at
from {{ raw('users_messages_' ~ table) }} as events
{%- endfor %}
