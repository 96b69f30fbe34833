select
    id('o', order_no) as order_id,
    person_no as person_id,
    ordered_at,
    day_no,
    id('m', message_no) as caused_by_message_id,
    cancelled_at
from placed_orders
order by order_no
