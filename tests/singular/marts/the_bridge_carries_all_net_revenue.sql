with orders as (
    select
        currency,
        sum(net_revenue_amount) as amount
    from {{ ref('fct_orders') }}
    where not is_test
    group by currency
),

bridge as (
    select
        currency,
        sum(net_revenue_amount) as amount
    from {{ ref('revenue_bridge') }}
    group by currency
)

select
    orders.currency,
    orders.amount,
    bridge.amount as bridge_amount
from orders
full outer join bridge on orders.currency = bridge.currency
where coalesce(orders.amount, 0) <> coalesce(bridge.amount, 0)
