select customers.customer_key
from {{ ref('profiled_customers') }} as customers
left join {{ ref('lifecycle_stages') }} as lifecycle
    on customers.customer_key = lifecycle.customer_key
where lifecycle.customer_key is null
