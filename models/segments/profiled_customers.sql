-- Grain: customer who may be profiled: permitted, and old enough for the var minimum_age where it
-- is set and the date of birth is known. Whoever is not here has no row in any other model of this
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
    {%- if var('minimum_age') is not none %}
    where
        customers.birth_date is null
        or {{ dbt.dateadd('year', var('minimum_age'), 'customers.birth_date') }}
        <= {{ as_of_date() }}
    {%- endif %}
)

select * from final
