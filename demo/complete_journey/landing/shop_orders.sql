-- One order per basket; the total is what the retailer receives. That a coupon was used is known,
-- not which.
select
    cast(basket_id as varchar) as order_id,
    cast(any_value(household_id) as varchar) as customer_id,
    'fulfilled' as order_status,
    any_value(transaction_timestamp) as ordered_at,
    'USD' as currency,
    cast(sum(cast(sales_value as decimal(18, 2))) as decimal(18, 2)) as total_amount,
    'pos' as sales_channel,
    case when bool_or(coupon_disc <> 0) then 'coupon' end as coupon_code
from 'transactions.parquet'
group by basket_id
order by basket_id
