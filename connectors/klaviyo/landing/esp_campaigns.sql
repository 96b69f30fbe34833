-- One row per campaign, by its first message, and one per message of a flow. Messages of flows that
-- only events name are added from there.
with campaigns as (
    select * from {{ raw('campaign') }}
),

campaign_messages as (
    select * from {{ raw('campaign_message') }}
    qualify row_number() over (
        partition by campaign_id
        order by created nulls last, id
    ) = 1
),

utm_campaigns as (
    select
        campaign_id,
        min(value) as utm_campaign
    from {{ raw('campaign_tracking_utm_param') }}
    where name = 'utm_campaign'
    group by campaign_id
),

flows as (
    select * from {{ raw('flow') }}
),

flow_actions as (
    select * from {{ raw('flow_action') }}
),

flow_messages as (
    select * from {{ raw('flow_message') }}
),

of_events as (
    select
        flow_message_id,
        min(flow_id) as flow_id
    from {{ raw('event') }}
    where flow_message_id is not null
    group by flow_message_id
),

messages as (
    select
        coalesce(flow_messages.id, of_events.flow_message_id) as message_id,
        coalesce(flow_actions.flow_id, of_events.flow_id) as flow_id,
        flow_messages.name,
        flow_messages.channel,
        flow_messages.content_subject,
        flow_messages.content_preview_text,
        flow_messages.created
    from flow_messages
    full outer join of_events on flow_messages.id = of_events.flow_message_id
    left join flow_actions on flow_messages.flow_action_id = flow_actions.id
)

select
    campaigns.id as campaign_id,
    cast(null as varchar) as parent_id,
    campaigns.name as campaign_name,
    'campaign' as campaign_type,
    {{ channel_of('campaign_messages.channel') }} as channel,
    coalesce(campaign_messages.content_subject, campaigns.subject) as subject_line,
    campaign_messages.content_preview_text as preheader,
    utm_campaigns.utm_campaign,
    campaigns.send_time as started_at,
    campaigns._fivetran_synced as loaded_at,
    case when campaigns._fivetran_deleted then campaigns._fivetran_synced end as deleted_at
from campaigns
left join campaign_messages on campaigns.id = campaign_messages.campaign_id
left join utm_campaigns on campaigns.id = utm_campaigns.campaign_id
union all
select
    messages.message_id as campaign_id,
    messages.flow_id as parent_id,
    coalesce(messages.name, flows.name) as campaign_name,
    'flow' as campaign_type,
    {{ channel_of('messages.channel') }} as channel,
    messages.content_subject as subject_line,
    messages.content_preview_text as preheader,
    cast(null as varchar) as utm_campaign,
    coalesce(messages.created, flows.created) as started_at,
    cast(null as timestamp) as loaded_at,
    cast(null as timestamp) as deleted_at
from messages
left join flows on messages.flow_id = flows.id
