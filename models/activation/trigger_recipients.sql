{{ config(live_table()) }}

-- Grain: customer to whom a trigger may write: who may be written to at all. Behavioural triggers
-- also need may_be_profiled: no objection to being profiled, none to being tracked.
with contactable as (
    select * from {{ ref('customer_contactability') }}
    where is_contactable
),

customers as (
    select * from {{ ref('dim_customers') }}
),

profiled as (
    select * from {{ ref('profiled_customers') }}
),

untracked as (
    select * from {{ ref('fct_permissions') }}
    where purpose = 'tracking' and reason in ('withdrawn', 'objected', 'restricted')
),

final as (
    select
        customers.customer_key,
        {{ usable_time_zone('customers.timezone') }} as time_zone,
        profiled.customer_key is not null and untracked.customer_key is null as may_be_profiled
    from customers
    inner join contactable on customers.customer_key = contactable.customer_key
    left join profiled on customers.customer_key = profiled.customer_key
    left join untracked on customers.customer_key = untracked.customer_key
)

select * from final
