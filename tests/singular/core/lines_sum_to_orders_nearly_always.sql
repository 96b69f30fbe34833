-- Of all orders at most max_rejected_rate differ from their lines by over five cents. Where a shop
-- lands no shipping or no tax at all, its totals may be larger: nobody can say by how much.
with orders as (
    select * from {{ ref('fct_orders') }}
),

landed as (
    select count(*) as column_count from {{ ref('landing_columns') }}
    where
        landing_table = 'shop_orders'
        and column_name in ('shipping_amount', 'tax_amount')
        and null_count < row_count
),

counted as (
    select
        count(*) as order_count,
        sum(
            case
                when
                    orders.unexplained_amount < -0.05
                    or (orders.unexplained_amount > 0.05 and landed.column_count = 2)
                    then 1
                else 0
            end
        ) as differing_count
    from orders
    cross join landed
)

select * from counted
where differing_count > {{ var('max_rejected_rate') }} * order_count
