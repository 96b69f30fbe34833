-- Grain: product. Products that were sold but never landed have no row; their lines have no
-- product_key.
with products as (
    select * from {{ ref('stg_shop__products') }}
),

final as (
    select
        {{ entity_key(['store', 'product_id']) }} as product_key,
        store,
        product_id,
        product_name,
        product_type,
        category,
        subcategory,
        brand,
        {{ money('list_price') }} as list_price,
        {{ money('compare_at_price') }} as compare_at_price,
        {{ money('unit_cost') }} as unit_cost,
        currency,
        stock_quantity,
        product_url,
        image_url,
        is_active
    from products
)

select * from final
