with products as (
    select * from {{ ref('base_shop__products') }}
),

final as (
    select
        -- ids
        store,
        product_id,

        -- what it is
        product_name,
        product_type,
        category,
        subcategory,
        brand,
        product_url,
        image_url,

        -- money
        list_price,
        compare_at_price,
        unit_cost,
        currency,

        -- availability
        stock_quantity,
        is_active,
        updated_at
    from products
    where row_status = 'accepted'
)

select * from final
