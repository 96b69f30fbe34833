-- One row per campaign and per step of a Canvas that sent something, named as it was last named.
with sends as (
    {%- for table, channel, event_type, bounce_type in message_events if event_type == 'sent' %}
    {{ 'union all' if not loop.first }}
    select
        {{ campaign_of() }} as campaign_id,
        canvas_id,
        coalesce(canvas_step_name, canvas_name, campaign_name) as campaign_name,
        '{{ channel }}' as channel,
        id,
        time
    from {{ raw('users_messages_' ~ table) }} as events
    {%- endfor %}
),

named as (
    select
        sends.*,
        min(time) over (partition by campaign_id) as first_time
    from sends
    where campaign_id is not null
    qualify row_number() over (
        partition by campaign_id
        order by time desc, id
    ) = 1
)

select
    campaign_id,
    canvas_id as parent_id,
    campaign_name,
    case when canvas_id is null then 'campaign' else 'flow' end as campaign_type,
    channel,
    {{ from_seconds('first_time') }} as started_at
from named
