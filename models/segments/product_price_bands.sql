-- Grain: product with a category and a list price. The band is that of the list price over the
-- median of the store's active and inactive products of the category in the same currency.
with products as (
    select * from {{ ref('dim_products') }}
    where product_type in ('goods', 'service') and category is not null and list_price > 0
),

medians as (
    select
        store,
        category,
        currency,
        percentile_disc(0.5) within group (order by list_price) as median_price
    from products
    group by store, category, currency
),

bands as (
    select
        price_band,
        from_ratio,
        coalesce(lead(from_ratio) over (order by from_ratio), 99999) as below_ratio
    from {{ ref('price_bands') }}
),

final as (
    select
        products.product_key,
        bands.price_band
    from products
    inner join medians
        on
            products.store = medians.store
            and products.category = medians.category
            and coalesce(products.currency, '') = coalesce(medians.currency, '')
    inner join bands
        on
            products.list_price >= bands.from_ratio * medians.median_price
            and products.list_price < bands.below_ratio * medians.median_price
)

select * from final
