with rendered as (
    select
        'red-' || id('o', order_no) as redemption_id,
        case when account_no is not null then id('c', account_no) end as customer_id,
        id('o', order_no) as order_id,
        coupon_code,
        case when discount_percent = 15 then campaign_name(message_no % 512) end as campaign_id,
        ordered_at as redeemed_at,
        hourly(ordered_at, hours_late('order', order_no)) as loaded_at
    from placed_orders where coupon_code is not null
)

select * from rendered
union all
select * from rendered where hash(redemption_id, 'twice') % 70 = 0
union all by name
select redemption_id || '-bad' as redemption_id, order_id, redeemed_at, loaded_at
from rendered where hash(redemption_id, 'bad') % 1500 = 0
order by loaded_at, redemption_id
