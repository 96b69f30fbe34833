select
    id('w', session_no) || '-' || unnest(range(event_count + (signed_up_at is not null)::integer))
        as event_id,
    person_no as person_id
from sessions
