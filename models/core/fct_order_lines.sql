-- Grain: order line, lines of cancelled and test orders included (filter on is_valid).
-- Not additive: unit_price; amounts across currencies (use the base amounts).
with order_lines as (
    select * from {{ ref('stg_shop__order_lines') }}
),

orders as (
    select * from {{ ref('int_orders_identified') }}
),

products as (
    select * from {{ ref('dim_products') }}
),

allocated_taxes as (
    select * from {{ ref('int_order_taxes_allocated') }}
),

priced as (
    select
        order_lines.store,
        order_lines.order_line_id,
        order_lines.order_id,
        orders.customer_key,
        products.product_key,
        orders.ordered_at,
        orders.order_date,
        orders.is_valid,
        orders.currency,
        orders.rate_to_base,
        -- A product that nobody describes is taken as goods.
        case
            when products.product_type in ('gift_card', 'fee') then products.product_type
            else 'product'
        end as revenue_kind,
        order_lines.quantity,
        order_lines.unit_price,
        -- The list value, or what is known of it; never less than what is owed.
        {{ money(
            'greatest('
            ~ 'order_lines.line_amount, '
            ~ 'coalesce(' ~ product_of('order_lines.unit_price', 'order_lines.quantity') ~ ', '
            ~ 'order_lines.line_amount + coalesce(order_lines.discount_amount, 0)))'
        ) }} as gross_amount,
        {{ money('order_lines.line_amount') }} as line_amount,
        {{ money('coalesce(order_lines.tax_amount, allocated_taxes.tax_amount, 0)') }}
            as tax_amount,
        orders.is_tax_included
    from order_lines
    inner join orders
        on order_lines.store = orders.store and order_lines.order_id = orders.order_id
    left join products
        on order_lines.store = products.store and order_lines.product_id = products.product_id
    left join allocated_taxes
        on
            order_lines.store = allocated_taxes.store
            and order_lines.order_line_id = allocated_taxes.order_line_id
),

netted as (
    select
        *,
        line_amount - case when is_tax_included then tax_amount else 0 end as net_amount
    from priced
),

final as (
    select
        store,
        order_line_id,
        order_id,
        customer_key,
        product_key,
        ordered_at,
        order_date,
        is_valid,
        revenue_kind,
        quantity,
        currency,
        unit_price,
        gross_amount,
        {{ money('gross_amount - line_amount') }} as discount_amount,
        line_amount,
        tax_amount,
        {{ money('net_amount') }} as net_amount,
        {{ money("case when revenue_kind = 'product' then net_amount else 0 end") }}
            as product_amount,
        {{ money(
            "case when revenue_kind = 'product' then round("
            ~ product_of('net_amount', 'rate_to_base') ~ ", 4) else 0 end"
        ) }} as product_base_amount
    from netted
)

select * from final
