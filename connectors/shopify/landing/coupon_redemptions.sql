-- One row per code on an order.
with codes as (
    select * from {{ raw('order_discount_code') }}
),

orders as (
    select * from {{ raw('order') }}
)

select
    codes.order_id || ':' || codes.code as redemption_id,
    orders.customer_id,
    codes.order_id,
    codes.code as coupon_code,
    coalesce(orders.processed_at, orders.created_at) as redeemed_at,
    codes._fivetran_synced as loaded_at
from codes
inner join orders on codes.order_id = orders.id
where
    not coalesce(orders.test, false)
    and not coalesce(orders._fivetran_deleted, false)
