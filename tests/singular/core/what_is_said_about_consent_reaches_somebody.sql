{{ config(severity='warn') }}

-- Statements whose identifiers nobody knows: a misspelt id, or a person who has not landed yet.
select
    events.store,
    md5(events.event_id) as row_key,
    events.purpose,
    events.action
from {{ ref('stg_consent__events') }} as events
left join {{ ref('int_consent_statements') }} as statements
    on events.event_id = statements.event_id
where statements.event_id is null
