-- One answer per customer and purpose: no customer falls between the rules.
select
    customers.customer_key,
    count(permissions.purpose) as answer_count
from {{ ref('dim_customers') }} as customers
left join {{ ref('fct_permissions') }} as permissions
    on customers.customer_key = permissions.customer_key
group by customers.customer_key
having
    count(permissions.purpose)
    <> (select count(distinct purpose) from {{ ref('permission_rules') }})
