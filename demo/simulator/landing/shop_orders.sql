-- One row per version of an order.
with rendered as (
    select
        id('o', order_no) as order_id,
        case when account_no is not null then id('c', account_no) end as customer_id,
        as_typed(given_email, order_no) as email,
        given_phone as phone,
        order_versions.order_status,
        false as is_test,
        ordered_at,
        order_versions.cancelled_at,
        currency,
        not is_tax_added as is_tax_included,
        subtotal_amount,
        discount_amount,
        shipping_amount,
        tax_amount,
        gift_card_amount,
        total_amount,
        coupon_code,
        case when pick(300, 'odd channel', order_no) = 0 then 'teleshop' else sales_channel end
            as sales_channel,
        case when sales_channel in ('web', 'app') then id('b', cart_no) end as cart_id,
        case when message_no is not null then 'newsletter' end as utm_source,
        case when message_no is not null then 'email' end as utm_medium,
        campaign_name(message_no % 512) as utm_campaign,
        updated_at,
        loaded_at
    from order_versions
    inner join placed_orders using (order_no)
)

select * from rendered
union all by name
select * from rendered where hash(order_id, updated_at, 'twice') % 140 = 0
union all by name
select * replace (loaded_at + interval 1 day as loaded_at)
from rendered where hash(order_id, updated_at, 'again') % 140 = 0
union all by name
-- Orders of the shop's own people, and a few that cannot be right.
select
    'test-' || order_id as order_id,
    'test@example.com' as email,
    'placed' as order_status,
    true as is_test,
    ordered_at,
    currency,
    0 as total_amount,
    'web' as sales_channel,
    updated_at,
    loaded_at
from rendered where updated_at = ordered_at and hash(order_id, 'test') % 500 = 0
union all by name
select
    'bad-' || order_id as order_id,
    'paid' as order_status,
    ordered_at,
    currency,
    -total_amount as total_amount,
    updated_at,
    loaded_at
from rendered where updated_at = ordered_at and hash(order_id, 'bad') % 1000 = 0
order by loaded_at, order_id, updated_at, total_amount
