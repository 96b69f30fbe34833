-- One answer per customer and purpose: no customer falls between the rules.
with purposes as (
    select count(distinct purpose) as purpose_count from {{ ref('permission_rules') }}
),

answers as (
    select
        customers.customer_key,
        count(permissions.purpose) as answer_count
    from {{ ref('dim_customers') }} as customers
    left join {{ ref('fct_permissions') }} as permissions
        on customers.customer_key = permissions.customer_key
    group by customers.customer_key
)

select
    answers.customer_key,
    answers.answer_count
from answers
inner join purposes on answers.answer_count <> purposes.purpose_count
