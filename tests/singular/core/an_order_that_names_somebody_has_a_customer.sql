select
    store,
    order_id
from {{ ref('fct_orders') }}
inner join {{ ref('stg_shop__orders') }} using (store, order_id)
where
    (stg_shop__orders.customer_id is not null or stg_shop__orders.email is not null)
    and fct_orders.customer_key is null
