-- One row per order line. Discounts on the whole order reach its lines as allocations; without
-- that table only the line's own discount is known.
with order_lines as (
    select * from {{ raw('order_line') }}
),

discounts as (
    select
        order_line_id,
        sum(amount) as discount_amount
    from {{ raw('discount_allocation') }}
    group by order_line_id
),

taxes as (
    select
        order_line_id,
        sum(price) as tax_amount
    from {{ raw('tax_line') }}
    group by order_line_id
),

priced as (
    select
        order_lines.id as order_line_id,
        order_lines.order_id,
        {{ product_of_line() }} as product_id,
        order_lines.variant_id,
        order_lines.sku,
        order_lines.quantity,
        order_lines.price as unit_price,
        coalesce(discounts.discount_amount, order_lines.total_discount, 0) as discount_amount,
        taxes.tax_amount,
        order_lines._fivetran_synced as loaded_at
    from order_lines
    left join discounts on order_lines.id = discounts.order_line_id
    left join taxes on order_lines.id = taxes.order_line_id
)

select
    order_line_id,
    order_id,
    product_id,
    variant_id,
    sku,
    quantity,
    unit_price,
    discount_amount,
    tax_amount,
    quantity * unit_price - discount_amount as line_amount,
    loaded_at
from priced
