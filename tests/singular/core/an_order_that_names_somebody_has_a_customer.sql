select
    orders.store,
    orders.order_id
from {{ ref('fct_orders') }} as orders
inner join {{ ref('stg_shop__orders') }} as staged
    on orders.store = staged.store and orders.order_id = staged.order_id
where
    (staged.customer_id is not null or staged.email is not null)
    and orders.customer_key is null
