-- A basket holds a product once, so the two make the line's id. The discount is everything between
-- the shelf price and what the retailer receives.
select
    basket_id || '-' || product_id as order_line_id,
    cast(basket_id as varchar) as order_id,
    cast(product_id as varchar) as product_id,
    quantity,
    cast(retail_disc as decimal(18, 2)) + cast(coupon_disc as decimal(18, 2))
    + cast(coupon_match_disc as decimal(18, 2)) as discount_amount,
    cast(sales_value as decimal(18, 2)) as line_amount
from 'transactions.parquet'
order by basket_id, product_id
