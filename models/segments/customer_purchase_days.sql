-- Grain: customer and day with an order that counts. Two orders on one day are one purchase
-- occasion: rhythm and the BTYD summaries look at days.
with orders as (
    select * from {{ ref('customer_orders') }}
),

days as (
    select
        customer_key,
        order_date,
        count(*) as order_count,
        sum(net_revenue_amount) as net_revenue_amount
    from orders
    group by customer_key, order_date
),

final as (
    select
        customer_key,
        order_date,
        order_count,
        {{ money('net_revenue_amount') }} as net_revenue_amount,
        row_number() over (partition by customer_key order by order_date) as day_number,
        order_date - lag(order_date) over (partition by customer_key order by order_date)
            as gap_days
    from days
)

select * from final
