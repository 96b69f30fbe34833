select
    event_id_begins || unnest(range(event_count)) as event_id,
    person_no as person_id
from (
    select
        session_no,
        id('w', session_no) || '-' as event_id_begins,
        event_count + (signed_up_at is not null)::integer as event_count,
        person_no
    from sessions
    order by session_no
)
