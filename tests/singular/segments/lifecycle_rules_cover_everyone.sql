-- For people with and without a purchase there must be a last rule without conditions.
with situations as (
    select true as has_purchased
    union all
    select false as has_purchased
)

select situations.has_purchased
from situations
left join {{ ref('lifecycle_rules') }} as rules
    on
        situations.has_purchased = rules.has_purchased
        and rules.signed_up_within is null
        and rules.first_order_within is null
        and rules.returned_within is null
        and rules.last_order_within is null
        and rules.not_engaged_within is null
where rules.segment_id is null and {{ has_rows() }}
