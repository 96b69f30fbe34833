{{ config(materialized='view') }}

-- Grain: target of categories, customer, category bought before and cutoff, where the window had
-- ended by the run's day.
with cutoffs as (
    select * from {{ ref('training_cutoffs') }}
    where grain = 'customer_category'
),

categories as (
    select
        customer_key,
        item_id,
        as_of_date
    from {{ ref('category_rows') }}
    where not is_of_run
),

orders as (
    select * from {{ ref('counted_orders') }}
    where not is_of_run
),

order_lines as (
    select * from {{ ref('fct_order_lines') }}
    where revenue_kind = 'product'
),

products as (
    select * from {{ ref('dim_products') }}
    where category is not null and not is_sensitive
),

bought as (
    select distinct
        cutoffs.target_id,
        orders.customer_key,
        products.category,
        cutoffs.as_of_date
    from orders
    inner join cutoffs
        on
            orders.order_date >= cutoffs.as_of_date
            and orders.known_date < cutoffs.label_window_end
            and orders.gone_date >= cutoffs.label_window_end
    inner join order_lines
        on orders.store = order_lines.store and orders.order_id = order_lines.order_id
    inner join products on order_lines.product_key = products.product_key
),

final as (
    select
        cutoffs.target_id,
        categories.customer_key,
        categories.item_id,
        categories.as_of_date,
        cutoffs.label_window_end,
        cast(case when bought.customer_key is not null then 1 else 0 end as double) as label
    from cutoffs
    inner join categories on cutoffs.as_of_date = categories.as_of_date
    left join bought
        on
            cutoffs.target_id = bought.target_id
            and categories.customer_key = bought.customer_key
            and categories.item_id = bought.category
            and cutoffs.as_of_date = bought.as_of_date
)

select * from final
