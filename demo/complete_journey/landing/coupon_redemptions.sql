-- The data knows the day; it is taken as its local midnight.
select
    campaign_id || '-' || household_id || '-' || coupon_upc || '-'
    || strftime(redemption_date, '%Y%m%d') as redemption_id,
    cast(household_id as varchar) as customer_id,
    cast(coupon_upc as varchar) as coupon_code,
    cast(campaign_id as varchar) as campaign_id,
    (redemption_date at time zone 'America/New_York') at time zone 'UTC' as redeemed_at
from 'coupon_redemptions.parquet'
order by redemption_date, household_id, coupon_upc, campaign_id
