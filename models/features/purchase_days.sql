{{ config(materialized='view') }}

-- Grain: customer, day of purchase, and span of days on which it is known and stands: it counts at
-- a cutoff after known_date and not after gone_date (see counted_orders). A refund is a row of its
-- own, with negative amounts, known from its own day on. Amounts in base currency; additive within
-- one cutoff.
with orders as (
    select * from {{ ref('counted_orders') }}
),

costed_lines as (
    select * from {{ ref('fct_order_lines') }}
    where cost_base_amount is not null
),

costs as (
    select
        store,
        order_id,
        sum(product_base_amount) as costed_amount,
        sum(cost_base_amount) as cost_amount
    from costed_lines
    group by store, order_id
),

-- Goods that come back cost nothing; what is given back without them costs as much as ever.
refunds as (
    select
        refunds.store,
        refunds.order_id,
        refunds.refund_date,
        sum(refunds.product_base_amount) as product_base_amount,
        sum(
            case
                when refunds.order_line_id is null or costed_lines.order_line_id is not null
                    then refunds.product_base_amount
                else 0
            end
        ) as costed_amount,
        sum(
            case
                when refunds.product_base_amount > 0 and costed_lines.quantity > 0
                    then
                        {{ money(
                            'costed_lines.cost_base_amount * least(1, '
                            ~ 'cast(coalesce(refunds.quantity, costed_lines.quantity) as double)'
                            ~ ' / costed_lines.quantity)'
                        ) }}
                else 0
            end
        ) as cost_amount
    from {{ ref('fct_refunds') }} as refunds
    left join costed_lines
        on
            refunds.store = costed_lines.store
            and refunds.order_line_id = costed_lines.order_line_id
    group by refunds.store, refunds.order_id, refunds.refund_date
),

pieces as (
    select
        orders.is_of_run,
        orders.customer_key,
        orders.order_date,
        orders.known_date,
        orders.gone_date,
        1 as order_count,
        orders.line_count,
        orders.coupon_count,
        orders.gross_amount,
        orders.discount_amount,
        orders.net_amount,
        coalesce(costs.costed_amount, 0) as costed_amount,
        coalesce(costs.costed_amount - costs.cost_amount, 0) as margin_amount
    from orders
    left join costs on orders.store = costs.store and orders.order_id = costs.order_id
    union all
    select
        orders.is_of_run,
        orders.customer_key,
        orders.order_date,
        greatest(orders.known_date, refunds.refund_date) as known_date,
        orders.gone_date,
        0 as order_count,
        0 as line_count,
        0 as coupon_count,
        0 as gross_amount,
        0 as discount_amount,
        -refunds.product_base_amount as net_amount,
        -refunds.costed_amount as costed_amount,
        refunds.cost_amount - refunds.costed_amount as margin_amount
    from refunds
    inner join orders on refunds.store = orders.store and refunds.order_id = orders.order_id
),

final as (
    select
        is_of_run,
        customer_key,
        order_date,
        known_date,
        gone_date,
        cast(sum(order_count) as bigint) as order_count,
        cast(sum(line_count) as bigint) as line_count,
        cast(sum(coupon_count) as bigint) as coupon_order_count,
        {{ money('sum(gross_amount)') }} as gross_amount,
        {{ money('sum(discount_amount)') }} as discount_amount,
        {{ money('sum(net_amount)') }} as net_amount,
        {{ money('sum(costed_amount)') }} as costed_amount,
        {{ money('sum(margin_amount)') }} as margin_amount
    from pieces
    group by is_of_run, customer_key, order_date, known_date, gone_date
)

select * from final
