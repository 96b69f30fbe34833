select customers.customer_key
from {{ ref('profiled_customers') }} as customers
left join {{ ref('lifecycle_stages') }} as stages
    on customers.customer_key = stages.customer_key
where stages.customer_key is null
