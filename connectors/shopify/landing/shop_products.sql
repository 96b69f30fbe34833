-- One row per product, with the price of its first variant and the stock of all. A gift card is one
-- by its order lines, since the product does not say; those that are no longer among the products,
-- or never were, and tips are added from there.
with products as (
    select * from {{ raw('product') }}
),

variants as (
    select * from {{ raw('product_variant') }}
),

images as (
    select * from {{ raw('product_image') }}
),

items as (
    select * from {{ raw('inventory_item') }}
),

shops as (
    select
        max(domain) as domain,
        max(currency) as currency
    from {{ raw('shop') }}
),

sold as (
    select
        {{ product_of_line() }} as product_id,
        case
            when max(case when gift_card then 1 else 0 end) = 1 then 'gift_card'
            when max(case when {{ is_tip() }} then 1 else 0 end) = 1 then 'fee'
        end as product_type,
        min(title) as title,
        min(vendor) as vendor
    from {{ raw('order_line') }} as order_lines
    group by {{ product_of_line() }}
),

first_variants as (
    select
        variants.product_id,
        variants.price,
        variants.compare_at_price,
        items.cost
    from variants
    left join items on variants.inventory_item_id = items.id
    qualify row_number() over (
        partition by variants.product_id
        order by variants.position nulls last, variants.id
    ) = 1
),

variant_sums as (
    select
        product_id,
        sum(inventory_quantity) as stock_quantity,
        max(updated_at) as updated_at
    from variants
    group by product_id
),

first_images as (
    select
        product_id,
        src
    from images
    qualify row_number() over (
        partition by product_id
        order by position nulls last, id
    ) = 1
),

known as (
    select
        products.id as product_id,
        products.title as product_name,
        coalesce(sold.product_type, 'goods') as product_type,
        products.product_type as category,
        products.vendor as brand,
        first_variants.price as list_price,
        first_variants.compare_at_price,
        first_variants.cost as unit_cost,
        shops.currency,
        variant_sums.stock_quantity,
        'https://' || shops.domain || '/products/' || products.handle as product_url,
        first_images.src as image_url,
        lower(products.status) = 'active' as is_active,
        case
            when variant_sums.updated_at > products.updated_at then variant_sums.updated_at
            else products.updated_at
        end as updated_at,
        products._fivetran_synced as loaded_at,
        case when products._fivetran_deleted then products._fivetran_synced end as deleted_at
    from products
    cross join shops
    left join sold on products.id = sold.product_id
    left join first_variants on products.id = first_variants.product_id
    left join variant_sums on products.id = variant_sums.product_id
    left join first_images on products.id = first_images.product_id
),

only_sold as (
    select
        sold.product_id,
        sold.title as product_name,
        sold.product_type,
        cast(null as varchar) as category,
        sold.vendor as brand,
        cast(null as decimal(18, 4)) as list_price,
        cast(null as decimal(18, 4)) as compare_at_price,
        cast(null as decimal(18, 4)) as unit_cost,
        shops.currency,
        cast(null as bigint) as stock_quantity,
        cast(null as varchar) as product_url,
        cast(null as varchar) as image_url,
        false as is_active,
        cast(null as timestamp) as updated_at,
        cast(null as timestamp) as loaded_at,
        cast(null as timestamp) as deleted_at
    from sold
    cross join shops
    left join products on sold.product_id = products.id
    where
        sold.product_type is not null
        and products.id is null
)

select * from known
union all
select * from only_sold
