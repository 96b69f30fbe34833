-- Grain: day and currency. From what was ordered to net revenue, each step a column, no amount in
-- two. Orders count on their day, refunds on theirs; test orders nowhere. Not additive across
-- currencies.
with orders as (
    select * from {{ ref('fct_orders') }}
    where not is_test
),

refunds as (
    select * from {{ ref('fct_refunds') }}
),

movements as (
    select
        order_date as date_day,
        currency,
        owed_amount + discount_amount as gross_amount,
        discount_amount,
        case when is_valid then 0 else owed_amount end as cancellation_amount,
        0 as refund_amount,
        case when is_valid then tax_amount else 0 end as tax_amount,
        case when is_valid then shipping_amount else 0 end as shipping_amount,
        case when is_valid then gift_card_sold_amount else 0 end as gift_card_sold_amount,
        case when is_valid then fee_amount else 0 end as fee_amount,
        case when is_valid then product_amount else 0 end as net_revenue_amount,
        0 as other_refund_amount
    from orders
    union all
    select
        refund_date as date_day,
        currency,
        0 as gross_amount,
        0 as discount_amount,
        0 as cancellation_amount,
        revenue_amount as refund_amount,
        0 as tax_amount,
        0 as shipping_amount,
        0 as gift_card_sold_amount,
        0 as fee_amount,
        -revenue_amount as net_revenue_amount,
        case when effect = 'revenue' then tax_amount else refund_amount end as other_refund_amount
    from refunds
),

final as (
    select
        date_day,
        currency,
        {{ money('sum(gross_amount)') }} as gross_amount,
        {{ money('sum(discount_amount)') }} as discount_amount,
        {{ money('sum(cancellation_amount)') }} as cancellation_amount,
        {{ money('sum(refund_amount)') }} as refund_amount,
        {{ money('sum(tax_amount)') }} as tax_amount,
        {{ money('sum(shipping_amount)') }} as shipping_amount,
        {{ money('sum(gift_card_sold_amount)') }} as gift_card_sold_amount,
        {{ money('sum(fee_amount)') }} as fee_amount,
        {{ money('sum(net_revenue_amount)') }} as net_revenue_amount,
        {{ money('sum(other_refund_amount)') }} as other_refund_amount
    from movements
    group by date_day, currency
)

select * from final
