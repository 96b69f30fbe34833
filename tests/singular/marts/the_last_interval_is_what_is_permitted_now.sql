-- Of every customer and purpose: what fct_permissions says, and what the last interval says.
with last_intervals as (
    select * from {{ ref('permission_history') }}
    where valid_until is null
)

select
    permissions.customer_key,
    permissions.purpose,
    permissions.reason,
    last_intervals.reason as last_reason
from {{ ref('fct_permissions') }} as permissions
full outer join last_intervals
    on
        permissions.customer_key = last_intervals.customer_key
        and permissions.purpose = last_intervals.purpose
where
    permissions.is_permitted is distinct from last_intervals.is_permitted
    or permissions.reason is distinct from last_intervals.reason
    or permissions.evidence_event_id is distinct from last_intervals.evidence_event_id
