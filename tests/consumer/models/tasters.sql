-- Grain: customer with one order. A segment of the shop's own that a model says, not rules.
select
    customer_key,
    'own_tasters' as segment_id,
    'ordered once, on ' || cast(last_order_date as varchar) as reason
from {{ ref('lettershop', 'customer_descriptions') }}
where is_profiled and order_count = 1
