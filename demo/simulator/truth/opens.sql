select id('m', message_no) || '-' || code as event_id, true_kind
from mail_events
where event_type in ('opened', 'clicked')
order by message_no, code
