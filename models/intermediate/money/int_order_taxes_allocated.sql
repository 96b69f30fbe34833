-- Where the shop states an order's tax but not its lines', the tax is spread over the lines and the
-- shipping by amount: each line gets the difference of two rounded running totals, shipping what is
-- left, so that the parts add up to the cent.
with orders as (
    select * from {{ ref('stg_shop__orders') }}
),

order_lines as (
    select * from {{ ref('stg_shop__order_lines') }}
),

taxed_orders as (
    select
        store,
        order_id,
        tax_amount,
        coalesce(shipping_amount, 0) as shipping_amount
    from orders
    where tax_amount > 0
),

lines_of_taxed_orders as (
    select
        order_lines.store,
        order_lines.order_line_id,
        order_lines.order_id,
        order_lines.line_amount,
        taxed_orders.tax_amount as order_tax_amount,
        taxed_orders.shipping_amount,
        count(order_lines.tax_amount) over (
            partition by order_lines.store, order_lines.order_id
        ) as stated_taxes,
        sum(order_lines.line_amount) over (
            partition by order_lines.store, order_lines.order_id
        ) as lines_amount,
        sum(order_lines.line_amount) over (
            partition by order_lines.store, order_lines.order_id
            order by order_lines.order_line_id
            rows between unbounded preceding and current row
        ) as running_amount
    from order_lines
    inner join taxed_orders
        on order_lines.store = taxed_orders.store and order_lines.order_id = taxed_orders.order_id
),

final as (
    select
        store,
        order_line_id,
        {{ money(
            'round(cast(order_tax_amount * running_amount as double)'
            ~ ' / (lines_amount + shipping_amount), 2)'
            ~ ' - round(cast(order_tax_amount * (running_amount - line_amount) as double)'
            ~ ' / (lines_amount + shipping_amount), 2)'
        ) }} as tax_amount
    from lines_of_taxed_orders
    where stated_taxes = 0 and lines_amount + shipping_amount > 0
)

select * from final
