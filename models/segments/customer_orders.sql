-- Grain: order that counts today, of a customer who may be profiled. Amounts in base currency.
with orders as (
    select * from {{ orders_as_of(as_of_date()) }}
),

customers as (
    select * from {{ ref('profiled_customers') }}
),

final as (
    select
        orders.customer_key,
        orders.store,
        orders.order_id,
        orders.order_date,
        {{ money('orders.gross_amount') }} as gross_amount,
        {{ money('orders.discount_amount') }} as discount_amount,
        {{ money('orders.net_revenue_amount') }} as net_revenue_amount
    from orders
    inner join customers on orders.customer_key = customers.customer_key
)

select * from final
