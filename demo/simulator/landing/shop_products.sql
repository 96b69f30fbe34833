-- One row per product, and a newer one whenever its price changed.
with versions as (
    select
        products.*,
        price,
        period,
        -- The first day of the half-year, see price_period.
        period * 180 - pick(180, 'price period', product_no) as day_no
    from products
    inner join prices using (product_no)
    qualify coalesce(price <> lag(price) over (partition by product_no order by period), true)
),

rendered as (
    select
        product_id,
        product_name,
        product_type,
        category,
        subcategory,
        brand,
        price as list_price,
        case when price < first_price then first_price end as compare_at_price,
        cast(round(first_price * (0.35 + 0.3 * u('cost', product_no)), 2) as decimal(18, 2))
            as unit_cost,
        'EUR' as currency,
        cast(pick(500, 'stock', product_no, period) as bigint) as stock_quantity,
        'https://shop.example/p/' || product_id as product_url,
        pick(40, 'inactive', product_no) > 0 as is_active,
        getvariable('opening') + to_days(greatest(day_no, 0)) as updated_at,
        nightly(updated_at, 0) as loaded_at
    from versions
    where day_no < getvariable('days')
)

select * from rendered
union all by name
select * from rendered where hash(product_id, updated_at) % 70 = 0
union all by name
select product_id || 'x' as product_id, 'Broken export' as product_name, -1 as list_price,
    updated_at, loaded_at
from rendered where hash(product_id, updated_at, 'broken') % 900 = 0
order by loaded_at, product_id, updated_at
