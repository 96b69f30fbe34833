-- Net revenue of the customers together is that of the orders that count.
with purchases as (
    select
        sum(net_revenue_amount) as amount,
        sum(order_count) as order_count
    from {{ ref('customer_purchase_summaries') }}
),

orders as (
    select
        sum(net_revenue_amount) as amount,
        count(*) as order_count
    from {{ ref('customer_orders') }}
)

select
    purchases.amount,
    orders.amount as order_amount
from purchases
cross join orders
where purchases.amount <> orders.amount or purchases.order_count <> orders.order_count
