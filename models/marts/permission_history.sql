-- Grain: customer, purpose and interval in which the same was allowed for the same reason: what
-- was allowed on a day, and on which evidence. Today's rules, orders and merges, applied to all of
-- the past. What takes permission away and is dated after the clock counts from the clock on, as it
-- does in fct_permissions. The last interval has no end and is what fct_permissions says.
{%- set kinds = {
    'withdrawal': 'withdrawn_at', 'bar': 'barred_at', 'lift': 'lifted_at', 'grant': 'granted_at',
    'imported_grant': 'imported_granted_at', 'request': 'requested_at',
} %}
with permissions as (
    select * from {{ ref('fct_permissions') }}
),

statements as (
    select
        *,
        {{ statement_kind('action', 'is_imported') }} as kind
    from {{ ref('fct_consents') }}
    where
        list_id is null
        and (
            action in ('withdrawn', 'objected', 'restricted')
            or occurred_at < {{ as_of_at() }}
        )
),

first_purchases as (
    select
        customer_key,
        min(ordered_at) as purchased_at
    from {{ ref('fct_orders') }}
    where is_valid
    group by customer_key
),

-- Of statements of one kind at one time the first id speaks.
spoken as (
    select
        customer_key,
        purpose,
        kind,
        occurred_at,
        min(event_id) as event_id,
        min_by(action, event_id) as action
    from statements
    group by customer_key, purpose, kind, occurred_at
),

-- Everything after which something else may hold. Before the first of them, silence.
moments as (
    select
        customer_key,
        purpose,
        timestamp '1900-01-01 00:00:00' as moment_at
    from permissions
    union
    select
        customer_key,
        purpose,
        least(occurred_at, {{ as_of_at() }}) as moment_at
    from statements
    union
    select
        permissions.customer_key,
        permissions.purpose,
        first_purchases.purchased_at as moment_at
    from permissions
    inner join first_purchases on permissions.customer_key = first_purchases.customer_key
    where permissions.basis = 'soft_opt_in'
    union
    select
        permissions.customer_key,
        permissions.purpose,
        {{ day_begins_at(
            local_date('statements.occurred_at') ~ ' + permissions.expires_after_days'
        ) }} as moment_at
    from permissions
    inner join statements
        on
            permissions.customer_key = statements.customer_key
            and permissions.purpose = statements.purpose
            and statements.kind in ('grant', 'imported_grant')
    where
        {{ local_date('statements.occurred_at') }} + permissions.expires_after_days
        <= {{ as_of_date() }}
),

said as (
    select
        moments.customer_key,
        moments.purpose,
        moments.moment_at,
        {%- for kind, column in kinds.items() %}
        max(case when statements.kind = '{{ kind }}' then statements.occurred_at end)
            as {{ column }},
        {%- endfor %}
        max(
            case
                when statements.action = 'confirmed' and not statements.is_imported
                    then statements.occurred_at
            end
        ) as confirmed_at,
        max(
            case
                when statements.action = 'confirmed' and statements.is_imported
                    then statements.occurred_at
            end
        ) as imported_confirmed_at
    from moments
    left join statements
        on
            moments.customer_key = statements.customer_key
            and moments.purpose = statements.purpose
            and moments.moment_at >= least(statements.occurred_at, {{ as_of_at() }})
    group by moments.customer_key, moments.purpose, moments.moment_at
),

weighed as (
    select
        said.*,
        permissions.basis,
        permissions.is_confirmation_needed as needs_confirmation,
        permissions.expires_after_days,
        bars.action as bar_action,
        bars.event_id as bar_event_id,
        coalesce(first_purchases.purchased_at <= said.moment_at, false) as has_purchased,
        {{ weighed_statements('said') }}
    from said
    inner join permissions
        on said.customer_key = permissions.customer_key and said.purpose = permissions.purpose
    left join first_purchases on said.customer_key = first_purchases.customer_key
    left join spoken as bars
        on
            said.customer_key = bars.customer_key
            and said.purpose = bars.purpose
            and bars.kind = 'bar'
            and said.barred_at = bars.occurred_at
),

dated as (
    select
        *,
        case when has_own_grant then granted_at when has_imported_grant then imported_granted_at end
            as live_grant_at
    from weighed
),

decided as (
    select
        *,
        {{ local_date('live_grant_at') }} + expires_after_days as expires_on,
        {{ permission_reason(local_date('moment_at')) }} as reason
    from dated
),

explained as (
    select
        decided.customer_key,
        decided.purpose,
        decided.moment_at,
        decided.reason,
        case when decided.is_barred then decided.bar_event_id else spoken.event_id end
            as evidence_event_id
    from decided
    left join spoken
        on
            decided.customer_key = spoken.customer_key
            and decided.purpose = spoken.purpose
            and spoken.kind = case
                when decided.reason = 'withdrawn' then 'withdrawal'
                when decided.has_own_grant then 'grant'
                else 'imported_grant'
            end
            and spoken.occurred_at = case
                when decided.reason = 'withdrawn' then decided.withdrawn_at
                else decided.live_grant_at
            end
),

changed as (
    select *
    from explained
    qualify
        lag(reason || chr(31) || coalesce(evidence_event_id, '')) over (
            partition by customer_key, purpose order by moment_at
        ) is distinct from reason || chr(31) || coalesce(evidence_event_id, '')
),

final as (
    select
        customer_key,
        purpose,
        {{ is_permitted('reason') }} as is_permitted,
        reason,
        evidence_event_id,
        nullif(moment_at, timestamp '1900-01-01 00:00:00') as valid_from,
        lead(moment_at) over (partition by customer_key, purpose order by moment_at) as valid_until
    from changed
)

select * from final
