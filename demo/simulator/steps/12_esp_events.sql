-- What the ESP saw of each message. `true_kind` is who opened or clicked; the ESP does not know.
create table mail_events as
with events as (
    select message_no, 0 as code, 'sent' as event_type, sent_at as occurred_at,
        null as true_kind from messages
    union all
    select message_no, 1, 'delivered', delivered_at, null from messages
    where delivered_at is not null
    union all
    select message_no, 2, 'dropped', later(sent_at, 1), null from messages where fate = 'dropped'
    union all
    select message_no, 3, 'bounced', later(sent_at, 9), null from messages
    where fate in ('hard', 'soft')
    union all
    select message_no, 4, 'opened', opened_at, 'human' from messages where opened_at is not null
    union all
    select message_no, 5, 'opened', opened_again_at, 'human' from messages
    where opened_again_at is not null
    union all
    select message_no, 6, 'opened', fetched_at,
        case mailbox when 'apple' then 'privacy_proxy' else 'scanner' end
    from messages where fetched_at is not null
    union all
    select message_no, 7, 'clicked', clicked_at, 'human' from messages where clicked_at is not null
    union all
    select message_no, 8 + link, 'clicked', later(fetched_at, 1 + link), 'scanner'
    from messages cross join range(3) as links (link)
    where is_clicked_by_scanner
    union all
    select message_no, 11, fate, ended_at, null from messages where ended_at is not null
)

select
    events.message_no,
    cast(code as tinyint) as code,
    event_type,
    true_kind,
    person_no,
    campaign_no,
    variant,
    case when code = 3 then fate end as bounce_type,
    mailbox,
    occurred_at,
    hourly(occurred_at, hours_late('mail', events.message_no, code)) as loaded_at
from events inner join messages using (message_no)
where occurred_at < clock();
