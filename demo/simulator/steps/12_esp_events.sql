-- What the ESP saw of each message. `true_kind` is who opened or clicked; the ESP does not know.
create table mail_events as
with events as (
    select *, 0 as code, 'sent' as event_type, sent_at as occurred_at from messages
    union all by name
    select *, 1 as code, 'delivered' as event_type, delivered_at as occurred_at from messages
    union all by name
    select *, 2 as code, 'dropped' as event_type, later(sent_at, 1) as occurred_at from messages
    where fate = 'dropped'
    union all by name
    select *, 3 as code, 'bounced' as event_type, later(sent_at, 9) as occurred_at from messages
    where fate in ('hard', 'soft')
    union all by name
    select *, 4 as code, 'opened' as event_type, opened_at as occurred_at from messages
    union all by name
    select *, 5 as code, 'opened' as event_type, opened_again_at as occurred_at from messages
    union all by name
    select *, 6 as code, 'opened' as event_type, fetched_at as occurred_at from messages
    union all by name
    select *, 7 as code, 'clicked' as event_type, clicked_at as occurred_at from messages
    union all by name
    select * exclude (link), 8 + link as code, 'clicked' as event_type,
        later(fetched_at, 1 + link) as occurred_at
    from messages cross join range(3) as links (link)
    where is_clicked_by_scanner
    union all by name
    select *, 11 as code, fate as event_type, ended_at as occurred_at from messages
)

select
    message_no,
    cast(code as tinyint) as code,
    event_type,
    case
        when code in (4, 5, 7) then 'human'
        when code = 6 and mailbox = 'apple' then 'privacy_proxy'
        when code in (6, 8, 9, 10) then 'scanner'
    end as true_kind,
    campaign_no,
    variant,
    case when code = 3 then fate end as bounce_type,
    mailbox,
    occurred_at,
    hourly(occurred_at, hours_late('mail', message_no, code)) as loaded_at,
    case pick(135, 'mail delivery', message_no, code)
        when 0 then 'twice'
        when 1 then 'again'
        when 2 then if(pick(30, 'loses its id', message_no, code) = 0, 'without id', null)
    end as repetition
from events
where occurred_at < clock();
