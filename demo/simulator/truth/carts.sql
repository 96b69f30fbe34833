select
    id('b', cart_no) as cart_id,
    person_no as person_id,
    min(starts_at) as created_at,
    count(order_no) = 0 as is_abandoned
from sessions where cart_no is not null
group by cart_no, person_no
order by cart_no
