with source as (
    select * from {{ landing('shop', 'shop_products') }}
),

judged as (
    select
        *,
        {{ standardise('product_type', 'product_type') }} as clean_product_type,
        {{ reject_reason([
            ('product_id is null', 'product_id is missing'),
            ('list_price < 0 or compare_at_price < 0 or unit_cost < 0', 'a price is negative'),
            (is_absurd_amount('list_price'), 'list_price is absurd'),
            (is_absurd_amount('compare_at_price'), 'compare_at_price is absurd'),
            (is_absurd_amount('unit_cost'), 'unit_cost is absurd'),
        ]) }} as reject_reason,
        -- A product has no event time and belongs to no person.
        false as is_not_yet,
        false as is_withheld
    from source
),

ranked as (
    select
        *,
        {{ row_status(['store', 'product_id'], updated_at=true) }} as row_status
    from judged
),

final as (
    select
        store,
        product_id,
        product_name,
        coalesce(clean_product_type, 'goods') as product_type,
        category,
        subcategory,
        brand,
        list_price,
        compare_at_price,
        unit_cost,
        upper(currency) as currency,
        stock_quantity,
        product_url,
        image_url,
        coalesce(is_active, true) as is_active,
        updated_at,
        loaded_at,
        product_id as row_key,
        row_status,
        reject_reason,
        {{ unusable_columns([
            ('product_type is not null and clean_product_type is null', 'product_type'),
        ]) }} as unusable_columns
    from ranked
)

select * from final
