select customers.customer_key
from {{ ref('profiled_customers') }} as customers
left join {{ ref('engagement_scores') }} as scores
    on customers.customer_key = scores.customer_key
where scores.customer_key is null
