-- Grain: customer and product category, over orders that count. Amounts before refunds, in base
-- currency. Lines without a category are left out, and sensitive categories.
with orders as (
    select * from {{ ref('customer_orders') }}
),

order_lines as (
    select * from {{ ref('fct_order_lines') }}
    where revenue_kind = 'product' and product_key is not null
),

products as (
    select * from {{ ref('dim_products') }}
    where category is not null and not is_sensitive
),

final as (
    select
        orders.customer_key,
        products.category,
        count(distinct orders.store || chr(31) || orders.order_id) as order_count,
        {{ money('sum(order_lines.product_base_amount)') }} as product_amount
    from orders
    inner join order_lines
        on orders.store = order_lines.store and orders.order_id = order_lines.order_id
    inner join products on order_lines.product_key = products.product_key
    group by orders.customer_key, products.category
)

select * from final
