-- Grain: product. Products that were sold but never landed have no row; their lines have no
-- product_key.
with products as (
    select * from {{ ref('stg_shop__products') }}
),

sensitive as (
    select * from {{ ref('sensitive_categories') }}
),

final as (
    select
        {{ entity_key(['products.store', 'products.product_id']) }} as product_key,
        products.store,
        products.product_id,
        products.product_name,
        products.product_type,
        products.category,
        products.subcategory,
        products.brand,
        {{ money('products.list_price') }} as list_price,
        {{ money('products.compare_at_price') }} as compare_at_price,
        {{ money('products.unit_cost') }} as unit_cost,
        products.currency,
        products.stock_quantity,
        products.product_url,
        products.image_url,
        products.is_active,
        by_category.category is not null or by_subcategory.category is not null as is_sensitive
    from products
    left join sensitive as by_category on lower(products.category) = by_category.category
    left join sensitive as by_subcategory on lower(products.subcategory) = by_subcategory.category
)

select * from final
