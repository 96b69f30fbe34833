-- Grain: customer and purpose, as of the run. The rules are in seeds/permission.
with customers as (
    select * from {{ ref('dim_customers') }}
),

rules as (
    select * from {{ ref('permission_rules') }}
),

states as (
    select * from {{ ref('int_permission_states') }}
),

buyers as (
    select distinct customer_key from {{ ref('fct_orders') }}
    where is_valid
),

-- The rule of the customer's country, else the one for `*`.
applicable as (
    select
        customers.customer_key,
        any_rules.purpose,
        coalesce(own_rules.basis, any_rules.basis) as basis,
        coalesce(own_rules.needs_confirmation, any_rules.needs_confirmation) as needs_confirmation,
        cast(
            case
                when own_rules.purpose is not null then own_rules.expires_after_days
                else any_rules.expires_after_days
            end as integer
        ) as expires_after_days
    from customers
    inner join rules as any_rules on any_rules.country_code = '*'
    left join rules as own_rules
        on
            customers.country_code = own_rules.country_code
            and any_rules.purpose = own_rules.purpose
),

-- A withdrawal wins a tie, and no import brings back what a person took away.
weighed as (
    select
        applicable.*,
        states.withdrawn_at,
        states.withdrawal_event_id,
        states.barred_at,
        states.bar_event_id,
        states.bar_action,
        states.requested_at,
        {{ weighed_statements('states') }},
        states.granted_at,
        states.grant_event_id,
        states.imported_granted_at,
        states.imported_grant_event_id,
        buyers.customer_key is not null as has_purchased
    from applicable
    left join states
        on
            applicable.customer_key = states.customer_key
            and applicable.purpose = states.purpose
    left join buyers on applicable.customer_key = buyers.customer_key
),

dated as (
    select
        *,
        case when has_own_grant then granted_at when has_imported_grant then imported_granted_at end
            as live_grant_at,
        case
            when has_own_grant then grant_event_id
            when has_imported_grant then imported_grant_event_id
        end as live_grant_event_id
    from weighed
),

expiring as (
    select
        *,
        {{ local_date('live_grant_at') }} + expires_after_days as expires_on
    from dated
),

decided as (
    select
        *,
        {{ permission_reason(as_of_date()) }} as reason
    from expiring
),

final as (
    select
        customer_key,
        purpose,
        {{ is_permitted('reason') }} as is_permitted,
        basis,
        needs_confirmation as is_confirmation_needed,
        expires_after_days,
        reason,
        case
            when is_barred then barred_at
            when reason = 'withdrawn' then withdrawn_at
            else live_grant_at
        end as decided_at,
        case
            when is_barred then bar_event_id
            when reason = 'withdrawn' then withdrawal_event_id
            else live_grant_event_id
        end as evidence_event_id,
        case when reason = 'granted' then expires_on end as expires_on
    from decided
)

select * from final
