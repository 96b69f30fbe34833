-- Grain: customer who may be profiled and did not say no to tracking. What people do on the site is
-- used for nobody else.
with customers as (
    select * from {{ ref('profiled_customers') }}
),

refusals as (
    select * from {{ ref('fct_permissions') }}
    where purpose = 'tracking' and reason in ('withdrawn', 'objected', 'restricted')
),

final as (
    select customers.customer_key
    from customers
    left join refusals on customers.customer_key = refusals.customer_key
    where refusals.customer_key is null
)

select * from final
