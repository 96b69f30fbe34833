-- No identifier of a person who asked to be erased stands in a model that people or machines read,
-- unless a newer row brought it back.
with erased as (
    select * from {{ ref('stg_consent__erasure_requests') }}
)

select
    'dim_customers' as model_name,
    customers.customer_key
from {{ ref('dim_customers') }} as customers
inner join erased
    on
        erased.identifier_type = 'email'
        and customers.store = erased.store
        and {{ erasure_hash('customers.store', "'email'", 'customers.email') }}
        = erased.identifier_hash
where coalesce(customers.signed_up_at, customers.first_acted_at) <= erased.requested_at
union all
select
    'dim_customers' as model_name,
    customers.customer_key
from {{ ref('dim_customers') }} as customers
inner join erased
    on
        erased.identifier_type = 'customer_id'
        and customers.store = erased.store
        and {{ erasure_hash('customers.store', "'customer_id'", 'customers.customer_id') }}
        = erased.identifier_hash
where coalesce(customers.signed_up_at, customers.first_acted_at) <= erased.requested_at
