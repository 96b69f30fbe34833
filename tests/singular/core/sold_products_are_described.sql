{{ config(severity='warn') }}

-- Lines whose product never landed are kept, without a product_key; one row per such product.
select
    order_lines.store,
    order_lines.product_id,
    count(*) as line_count
from {{ ref('stg_shop__order_lines') }} as order_lines
left join {{ ref('dim_products') }} as products
    on order_lines.store = products.store and order_lines.product_id = products.product_id
where order_lines.product_id is not null and products.product_key is null
group by order_lines.store, order_lines.product_id
