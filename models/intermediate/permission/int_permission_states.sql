-- The latest statement of each kind, per customer and purpose. Statements about one list (list_id)
-- neither give nor take a purpose as a whole. Whatever gives permission counts from its time on,
-- whatever takes it counts at once.
with statements as (
    select
        *,
        {{ statement_kind('action', 'is_imported') }} as kind
    from {{ ref('int_consent_statements') }}
    where
        list_id is null
        and (
            action in ('withdrawn', 'objected', 'restricted')
            or occurred_at < {{ as_of_at() }}
        )
),

latest as (
    select *
    from statements
    qualify
        row_number() over (
            partition by customer_key, purpose, kind
            order by occurred_at desc nulls last, event_id asc
        ) = 1
),

confirmations as (
    select
        customer_key,
        purpose,
        max(case when not is_imported then occurred_at end) as confirmed_at,
        max(case when is_imported then occurred_at end) as imported_confirmed_at
    from statements
    where action = 'confirmed'
    group by customer_key, purpose
),

pivoted as (
    select
        customer_key,
        purpose,
        max(case when kind = 'withdrawal' then occurred_at end) as withdrawn_at,
        max(case when kind = 'withdrawal' then event_id end) as withdrawal_event_id,
        max(case when kind = 'bar' then occurred_at end) as barred_at,
        max(case when kind = 'bar' then event_id end) as bar_event_id,
        max(case when kind = 'bar' then action end) as bar_action,
        max(case when kind = 'lift' then occurred_at end) as lifted_at,
        max(case when kind = 'grant' then occurred_at end) as granted_at,
        max(case when kind = 'grant' then event_id end) as grant_event_id,
        max(case when kind = 'imported_grant' then occurred_at end) as imported_granted_at,
        max(case when kind = 'imported_grant' then event_id end) as imported_grant_event_id,
        max(case when kind = 'request' then occurred_at end) as requested_at
    from latest
    group by customer_key, purpose
),

final as (
    select
        pivoted.*,
        confirmations.confirmed_at,
        confirmations.imported_confirmed_at
    from pivoted
    left join confirmations
        on
            pivoted.customer_key = confirmations.customer_key
            and pivoted.purpose = confirmations.purpose
)

select * from final
