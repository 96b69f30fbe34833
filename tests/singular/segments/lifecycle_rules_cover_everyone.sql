-- For people with and without a purchase there must be a last rule without conditions.
select has_purchased.value as has_purchased
from (select true as value union all select false as value) as has_purchased
left join {{ ref('lifecycle_rules') }} as rules
    on
        has_purchased.value = rules.has_purchased
        and rules.signed_up_within is null
        and rules.first_order_within is null
        and rules.returned_within is null
        and rules.last_order_within is null
where rules.segment_id is null
