select
    orders.currency,
    orders.amount,
    bridge.amount as bridge_amount
from (
    select
        currency,
        sum(net_revenue_amount) as amount
    from {{ ref('fct_orders') }}
    where not is_test
    group by currency
) as orders
full outer join (
    select
        currency,
        sum(net_revenue_amount) as amount
    from {{ ref('revenue_bridge') }}
    group by currency
) as bridge
    on orders.currency = bridge.currency
where coalesce(orders.amount, 0) <> coalesce(bridge.amount, 0)
