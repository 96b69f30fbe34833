select purchases.customer_key
from {{ ref('customer_purchase_summaries') }} as purchases
left join {{ ref('rfm_scores') }} as scores
    on purchases.customer_key = scores.customer_key
where scores.customer_key is null
