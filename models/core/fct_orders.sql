-- Grain: order, cancelled and test orders included (filter on is_valid).
-- Not additive: amounts across currencies (use the base amounts). A refund lowers
-- net_revenue_amount here at once; by day it counts on its own date (marts.revenue_bridge).
with orders as (
    select * from {{ ref('int_orders_identified') }}
),

order_lines as (
    select
        store,
        order_id,
        count(*) as line_count,
        sum(quantity) as quantity,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(line_amount) as line_amount,
        sum(tax_amount) as tax_amount,
        sum(product_amount) as product_amount,
        sum(product_base_amount) as product_base_amount,
        sum(case when revenue_kind = 'gift_card' then net_amount else 0 end) as gift_card_amount,
        sum(case when revenue_kind = 'fee' then net_amount else 0 end) as fee_amount
    from {{ ref('fct_order_lines') }}
    group by store, order_id
),

refunds as (
    select
        store,
        order_id,
        sum(refund_amount) as refund_amount,
        sum(product_amount) as product_amount,
        sum(product_base_amount) as product_base_amount
    from {{ ref('fct_refunds') }}
    group by store, order_id
),

summed as (
    select
        orders.*,
        coalesce(order_lines.line_count, 0) as line_count,
        coalesce(order_lines.quantity, 0) as quantity,
        coalesce(order_lines.gross_amount, 0) as gross_amount,
        coalesce(order_lines.discount_amount, 0) as discount_amount,
        coalesce(order_lines.line_amount, 0) as line_amount,
        -- The shop's figure, unless its own lines add up to more.
        greatest(coalesce(orders.tax_amount, 0), coalesce(order_lines.tax_amount, 0))
            as all_tax_amount,
        coalesce(orders.shipping_amount, 0) as charged_shipping_amount,
        -- Tax that no line carries is shipping's.
        greatest(coalesce(orders.tax_amount, 0) - coalesce(order_lines.tax_amount, 0), 0)
            as shipping_tax_amount,
        coalesce(order_lines.product_amount, 0) as product_amount,
        coalesce(order_lines.product_base_amount, 0) as product_base_amount,
        coalesce(order_lines.gift_card_amount, 0) as gift_card_sold_amount,
        coalesce(order_lines.fee_amount, 0) as fee_amount,
        coalesce(refunds.refund_amount, 0) as refund_amount,
        coalesce(refunds.product_amount, 0) as refunded_product_amount,
        coalesce(refunds.product_base_amount, 0) as refunded_product_base_amount
    from orders
    left join order_lines
        on orders.store = order_lines.store and orders.order_id = order_lines.order_id
    left join refunds
        on orders.store = refunds.store and orders.order_id = refunds.order_id
),

owed as (
    select
        *,
        line_amount + charged_shipping_amount
        + case when is_tax_included then 0 else all_tax_amount end as owed_amount
    from summed
),

final as (
    select
        store,
        order_id,
        customer_key,
        ordered_at,
        order_date,
        order_hour,
        order_status,
        is_test,
        is_valid,
        product_amount > 0 and refunded_product_amount >= product_amount as is_fully_refunded,
        is_anonymised,
        cancelled_at,
        cancelled_date,
        sales_channel,
        coupon_code,
        cart_id,
        utm_source,
        utm_medium,
        utm_campaign,
        utm_content,
        line_count,
        cast(quantity as decimal(18, 4)) as quantity,
        currency,
        {{ money('gross_amount') }} as gross_amount,
        {{ money('discount_amount') }} as discount_amount,
        {{ money('line_amount') }} as line_amount,
        {{ money('product_amount') }} as product_amount,
        {{ money('gift_card_sold_amount') }} as gift_card_sold_amount,
        {{ money('fee_amount') }} as fee_amount,
        -- Shipping as charged, without the tax in it.
        {{ money(
            'charged_shipping_amount'
            ~ ' - case when is_tax_included then shipping_tax_amount else 0 end'
        ) }} as shipping_amount,
        {{ money('all_tax_amount') }} as tax_amount,
        {{ money('owed_amount') }} as owed_amount,
        {{ money('total_amount') }} as total_amount,
        -- What the shop's total has that our parts have not.
        {{ money('total_amount - owed_amount') }} as unexplained_amount,
        {{ money('coalesce(gift_card_amount, 0)') }} as paid_by_gift_card_amount,
        {{ money('refund_amount') }} as refund_amount,
        {{ money('refunded_product_amount') }} as refunded_product_amount,
        {{ money('case when is_valid then product_amount - refunded_product_amount else 0 end') }}
            as net_revenue_amount,
        rate_to_base,
        {{ money('product_base_amount') }} as product_base_amount,
        {{ money(
            'case when is_valid then product_base_amount - refunded_product_base_amount else 0 end'
        ) }} as net_revenue_base_amount
    from owed
)

select * from final
