-- Grain: customer with an order that counts. Not additive: everything but counts and amounts.
-- x, t_x and T of the buy-till-you-die models are repeat_count, recency_days and age_days.
with orders as (
    select
        customer_key,
        count(*) as order_count,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(net_revenue_amount) as net_revenue_amount
    from {{ ref('customer_orders') }}
    group by customer_key
),

days as (
    select
        customer_key,
        count(*) as purchase_day_count,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date,
        sum(case when day_number > 1 then net_revenue_amount end) as repeat_revenue_amount
    from {{ ref('customer_purchase_days') }}
    group by customer_key
),

final as (
    select
        orders.customer_key,
        orders.order_count,
        days.purchase_day_count,
        days.first_order_date,
        days.last_order_date,
        {{ as_of_date() }} - days.last_order_date as days_since_last_order,
        days.purchase_day_count - 1 as repeat_count,
        days.last_order_date - days.first_order_date as recency_days,
        {{ as_of_date() }} - days.first_order_date as age_days,
        cast(
            cast(days.repeat_revenue_amount as double) / nullif(days.purchase_day_count - 1, 0)
            as decimal(18, 9)
        ) as mean_repeat_value,
        cast(
            cast(days.last_order_date - days.first_order_date as double)
            / nullif(days.purchase_day_count - 1, 0)
            as decimal(18, 4)
        ) as mean_gap_days,
        {{ money('orders.net_revenue_amount') }} as net_revenue_amount,
        {{ money('cast(orders.net_revenue_amount as double) / orders.order_count') }}
            as mean_order_amount,
        {{ money('orders.discount_amount') }} as discount_amount,
        cast(
            coalesce(cast(orders.discount_amount as double) / nullif(orders.gross_amount, 0), 0)
            as decimal(9, 4)
        ) as discount_rate
    from orders
    inner join days on orders.customer_key = days.customer_key
)

select * from final
