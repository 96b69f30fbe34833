-- One row per event of a message. Klaviyo has no id for a message to one recipient: contact, message
-- and send cohort together are one. An event that belongs to no message, such as an unsubscribe on
-- the preference page, is a message of its own. Of a list that was left Klaviyo tells the name: an
-- unsubscribe from a list that cannot be told by it ends the whole purpose.
with events as (
    select * from {{ raw('event') }}
),

metrics as (
    select * from {{ raw('metric') }}
),

lists as (
    select
        list_name,
        min(id) as list_id
    from {{ raw('list') }}
    group by list_name
    having count(*) = 1
),

named as (
    select
        events.*,
        coalesce(events.flow_message_id, events.campaign_id) as campaign_or_message_id,
        lower(coalesce(metrics.name, events.type)) as metric_name,
        coalesce(events.property_list_id, lists.list_id) as list_id
    from events
    left join metrics on events.metric_id = metrics.id
    left join lists on events.property_list = lists.list_name
),

typed as (
    select
        named.*,
        case
            when metric_name = 'sent sms' then 'sent'
            when metric_name in ('received email', 'received sms', 'received push') then 'delivered'
            when metric_name = 'dropped email' then 'dropped'
            when
                metric_name in ('bounced email', 'failed to deliver sms', 'bounced push')
                then 'bounced'
            when metric_name in ('opened email', 'opened push') then 'opened'
            when metric_name in ('clicked email', 'clicked sms') then 'clicked'
            when
                metric_name in (
                    'unsubscribed', 'unsubscribed from email marketing', 'unsubscribed from list',
                    'unsubscribed from sms marketing', 'unsubscribed from sms'
                )
                then 'unsubscribed'
            when metric_name = 'marked email as spam' then 'complained'
        end as event_type
    from named
)

select
    id as event_id,
    case
        when campaign_or_message_id is null then person_id || ':event:' || id
        else
            person_id || ':' || campaign_or_message_id || ':'
            || coalesce(property_cohort_message_send_cohort, '')
    end as message_id,
    campaign_or_message_id as campaign_id,
    person_id as esp_contact_id,
    case
        when metric_name like '% sms%' then 'sms'
        when metric_name like '% push' then 'push'
        else 'email'
    end as channel,
    event_type,
    case when event_type = 'bounced' then lower(property_bounce_type) end as bounce_type,
    case when event_type = 'unsubscribed' then list_id end as list_id,
    _variation as variant,
    case when event_type = 'clicked' then property_url end as link_url,
    property_machine_open as is_machine,
    coalesce(timestamp, datetime) as occurred_at,
    _fivetran_synced as loaded_at,
    case when _fivetran_deleted then _fivetran_synced end as deleted_at
from typed
where event_type is not null
