-- Grain: customer who may be profiled. Whoever is not here has no row in any other model of this
-- layer, nor in what is built on it.
with customers as (
    select * from {{ ref('dim_customers') }}
),

permissions as (
    select * from {{ ref('fct_permissions') }}
    where purpose = 'profiling' and is_permitted
),

final as (
    select
        customers.customer_key,
        {{ local_date('customers.signed_up_at') }} as signed_up_date
    from customers
    inner join permissions on customers.customer_key = permissions.customer_key
)

select * from final
