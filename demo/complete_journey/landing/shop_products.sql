-- 17 products that were sold are missing here, as they are in the data.
select
    cast(product_id as varchar) as product_id,
    product_type as product_name,
    'goods' as product_type,
    department as category,
    product_category as subcategory,
    brand
from 'products.parquet'
order by product_id
