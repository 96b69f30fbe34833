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

-- Unit costs in another currency than the shop's own; of those alone a rate is looked up.
foreign_costs as (
    select
        products.product_key,
        rates.rate_date,
        rates.valid_until_date,
        {{ money(product_of('products.unit_cost', 'rates.rate_to_base')) }} as unit_cost_amount
    from products
    inner join {{ ref('stg_reference__fx_rates') }} as rates
        on products.store = rates.store and products.currency = rates.currency
    where products.unit_cost is not null and products.currency <> '{{ var("base_currency") }}'
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
        orders.is_tax_included,
        case
            when products.currency = '{{ var("base_currency") }}' then products.unit_cost
            else foreign_costs.unit_cost_amount
        end as unit_cost_base_amount
    from order_lines
    inner join orders
        on order_lines.store = orders.store and order_lines.order_id = orders.order_id
    left join products
        on order_lines.store = products.store and order_lines.product_id = products.product_id
    left join allocated_taxes
        on
            order_lines.store = allocated_taxes.store
            and order_lines.order_line_id = allocated_taxes.order_line_id
    left join foreign_costs
        on
            products.product_key = foreign_costs.product_key
            and orders.order_date >= foreign_costs.rate_date
            and orders.order_date < foreign_costs.valid_until_date
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
        ) }} as product_base_amount,
        {{ money(
            "case when revenue_kind = 'product' then "
            ~ product_of('unit_cost_base_amount', 'quantity') ~ ' end'
        ) }} as cost_base_amount
    from netted
)

select * from final
