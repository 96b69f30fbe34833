-- The money in the landing is the money in the verdicts, to the cent: what is not in core is in a
-- row that was superseded, rejected or not yet.
with landed as (
    select
        'shop_orders' as landing_table,
        sum(total_amount) as amount
    from {{ landing('shop', 'shop_orders') }} as landing
    union all
    select
        'shop_order_lines' as landing_table,
        sum(line_amount) as amount
    from {{ landing('shop', 'shop_order_lines') }} as landing
    union all
    select
        'shop_refunds' as landing_table,
        sum(refund_amount) as amount
    from {{ landing('shop', 'shop_refunds') }} as landing
),

judged as (
    select
        'shop_orders' as landing_table,
        sum(total_amount) as amount
    from {{ ref('base_shop__orders') }}
    union all
    select
        'shop_order_lines' as landing_table,
        sum(line_amount) as amount
    from {{ ref('base_shop__order_lines') }}
    union all
    select
        'shop_refunds' as landing_table,
        sum(refund_amount) as amount
    from {{ ref('base_shop__refunds') }}
)

select
    landed.landing_table,
    landed.amount,
    judged.amount as judged_amount
from landed
inner join judged on landed.landing_table = judged.landing_table
where coalesce(landed.amount, 0) <> coalesce(judged.amount, 0)
