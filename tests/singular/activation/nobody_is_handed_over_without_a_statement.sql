-- Asked of what people said: where the rule is opt-in, there is a grant after every withdrawal and
-- no objection that still stands.
with rules as (
    select
        customers.customer_key,
        coalesce(own_rules.basis, any_rules.basis) as basis
    from {{ ref('dim_customers') }} as customers
    inner join {{ ref('permission_rules') }} as any_rules
        on any_rules.country_code = '*' and any_rules.purpose = 'email_marketing'
    left join {{ ref('permission_rules') }} as own_rules
        on
            customers.country_code = own_rules.country_code
            and own_rules.purpose = 'email_marketing'
),

statements as (
    select
        customer_key,
        max(
            case
                when action in ('granted', 'confirmed') and occurred_at < {{ as_of_at() }}
                    then occurred_at
            end
        ) as granted_at,
        max(case when action = 'withdrawn' then occurred_at end) as withdrawn_at
    from {{ ref('int_consent_statements') }}
    where purpose = 'email_marketing' and list_id is null
    group by customer_key
)

select profiles.customer_key
from {{ ref('esp_profiles') }} as profiles
inner join rules on profiles.customer_key = rules.customer_key
left join statements on profiles.customer_key = statements.customer_key
where
    (rules.basis = 'opt_in' and statements.granted_at is null)
    or coalesce(statements.withdrawn_at >= statements.granted_at, false)
    or (statements.granted_at is null and statements.withdrawn_at is not null)
