-- Grain: customer who favours a category: a large part of the own spending goes there, and more
-- than of the shop's. Of several such categories the one with the highest spending counts.
with purchases as (
    select * from {{ ref('category_purchases') }}
    where product_amount > 0
),

thresholds as (
    select
        {{ threshold('category_fan', 'category_rate') }} as category_rate,
        {{ threshold('category_fan', 'index') }} as affinity_index,
        {{ threshold('category_fan', 'orders') }} as orders
    from {{ ref('segment_thresholds') }}
),

shares as (
    select
        *,
        sum(product_amount) over (partition by customer_key) as customer_amount,
        sum(product_amount) over (partition by category) as category_amount,
        sum(product_amount) over () as shop_amount
    from purchases
),

indexed as (
    select
        *,
        cast(cast(product_amount as double) / customer_amount as decimal(9, 4)) as category_rate,
        cast(cast(category_amount as double) / shop_amount as decimal(9, 4)) as shop_category_rate
    from shares
),

final as (
    select
        indexed.customer_key,
        indexed.category,
        indexed.order_count,
        indexed.product_amount,
        indexed.category_rate,
        indexed.shop_category_rate
    from indexed
    cross join thresholds
    where
        indexed.order_count >= thresholds.orders
        and indexed.category_rate >= thresholds.category_rate
        and indexed.category_rate >= thresholds.affinity_index * indexed.shop_category_rate
    qualify
        row_number() over (
            partition by indexed.customer_key
            order by indexed.product_amount desc nulls last, indexed.category asc
        ) = 1
)

select * from final
