-- Grain: refunded line or adjustment. `effect` says whether it lowers net revenue; only
-- revenue_amount does, and only from refund_date on.
with refunds as (
    select * from {{ ref('stg_shop__refunds') }}
),

orders as (
    select * from {{ ref('int_orders_identified') }}
),

order_lines as (
    select * from {{ ref('fct_order_lines') }}
),

-- Orders that sold something which is revenue.
revenue_orders as (
    select
        store,
        order_id
    from order_lines
    where revenue_kind = 'product'
    group by store, order_id
),

judged as (
    select
        refunds.*,
        orders.customer_key,
        orders.currency,
        orders.rate_to_base,
        refunds.refund_amount - refunds.tax_amount as net_amount,
        case
            when refunds.refund_type = 'shipping' then 'shipping'
            when order_lines.revenue_kind in ('gift_card', 'fee') then 'never_revenue'
            when revenue_orders.order_id is null then 'never_revenue'
            else 'revenue'
        end as refund_of,
        orders.is_valid
    from refunds
    inner join orders
        on refunds.store = orders.store and refunds.order_id = orders.order_id
    left join order_lines
        on
            refunds.store = order_lines.store
            and refunds.order_line_id = order_lines.order_line_id
    left join revenue_orders
        on refunds.store = revenue_orders.store and refunds.order_id = revenue_orders.order_id
),

final as (
    select
        store,
        refund_id,
        refund_group_id,
        order_id,
        order_line_id,
        customer_key,
        refunded_at,
        {{ local_date('refunded_at') }} as refund_date,
        refund_type,
        case when is_valid then refund_of else 'order_not_valid' end as effect,
        quantity,
        reason,
        currency,
        {{ money('refund_amount') }} as refund_amount,
        {{ money('tax_amount') }} as tax_amount,
        {{ money('net_amount') }} as net_amount,
        {{ money("case when refund_of = 'revenue' then net_amount else 0 end") }}
            as product_amount,
        {{ money(
            "case when refund_of = 'revenue' then round("
            ~ product_of('net_amount', 'rate_to_base') ~ ", 4) else 0 end"
        ) }} as product_base_amount,
        {{ money("case when is_valid and refund_of = 'revenue' then net_amount else 0 end") }}
            as revenue_amount
    from judged
)

select * from final
