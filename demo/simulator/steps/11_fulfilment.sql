-- What was bought, for how much, and what became of it.
create table order_lines as
with items as (
    select order_no, cast(item as integer) as item
    from orders cross join lateral unnest(range(product_count)) as items (item)
    union all
    select order_no, 7 from orders where u('gift card', order_no) < 0.015
    union all
    select order_no, 8 from orders where u('gift wrapping', order_no) < 0.02
    union all
    select order_no, 9 from orders where u('express', order_no) < 0.012
),

chosen as (
    select
        orders.*,
        item,
        case item
            when 7 then 1000001 + pick(2, 'which gift card', order_no)
            when 8 then 1000003
            when 9 then 1000004
            else product_for(cart_no, item, favourite_category, second_category, favourite_brand)
        end as product_no,
        case when item < 7 and u('quantity', order_no, item) < 0.14
            then 2 + pick(2, 'how many', order_no, item) else 1 end as quantity
    from items inner join orders using (order_no)
),

priced as (
    select
        chosen.*,
        product_type,
        currency,
        currency = 'USD' as is_tax_added,
        cast(round(price * tag_factor, 2) as decimal(18, 2)) as unit_price,
        -- Promotions carry a code; people who watch prices find one more often.
        case
            when product_type <> 'goods' then 0
            when message_no % 512 between 110 and 149 then 15
            when u('coupon', order_no) < 0.04 + 0.22 * price_sensitivity then 10
            else 0
        end as discount_percent
    from chosen
    inner join products using (product_no)
    inner join prices
        on chosen.product_no = prices.product_no
        and prices.period = price_period(chosen.product_no, chosen.day_no)
    inner join currencies using (currency_no)
),

discounted as (
    select
        *,
        cast(round(quantity * unit_price * discount_percent / 100, 2) as decimal(18, 2))
            as discount_amount,
        cast(quantity * unit_price - discount_amount as decimal(18, 2)) as line_amount
    from priced
)

select
    order_no,
    item,
    product_no,
    ordered_at,
    quantity,
    unit_price,
    discount_percent,
    discount_amount,
    line_amount,
    case
        when product_type = 'gift_card' then 0
        when is_tax_added then cast(round(line_amount * 0.08, 2) as decimal(18, 2))
        else cast(round(line_amount * 19 / 119, 2) as decimal(18, 2))
    end as tax_amount,
    is_tax_added,
    currency
from discounted;

create table placed_orders as
with totals as (
    select
        order_no,
        any_value(currency) as currency,
        any_value(is_tax_added) as is_tax_added,
        max(discount_percent) as discount_percent,
        cast(sum(quantity * unit_price) as decimal(18, 2)) as subtotal_amount,
        cast(sum(discount_amount) as decimal(18, 2)) as discount_amount,
        cast(sum(line_amount) as decimal(18, 2)) as lines_amount,
        cast(sum(tax_amount) as decimal(18, 2)) as tax_amount
    from order_lines group by order_no
)

select
    orders.*,
    totals.* exclude (order_no),
    case
        when sales_channel = 'pos' or subtotal_amount >= 60 then 0.00 else 4.90
    end::decimal(18, 2) as shipping_amount,
    (lines_amount + shipping_amount + case when is_tax_added then tax_amount else 0 end)
    ::decimal(18, 2) as total_amount,
    case when pick(50, 'pays by gift card', order_no) = 0 then least(25, total_amount) end
    ::decimal(18, 2) as gift_card_amount,
    case
        when discount_percent = 15 then 'PROMO15'
        when discount_percent = 10 then 'SAVE10'
    end as coupon_code,
    case
        when sales_channel <> 'pos' and u('cancelled', order_no) < 0.04
            then later(ordered_at, 3600 + 140000 * u('cancelled when', order_no))
    end as cancelled_at,
    case
        when sales_channel <> 'pos' and cancelled_at is null
            then later(ordered_at, 86400 * (0.7 + 4 * u('fulfilled when', order_no)))
    end as fulfilled_at
from orders inner join totals using (order_no);

-- Versions of an order as the shop's export holds them: when placed, and after each change.
create table order_versions as
select
    order_no,
    case
        when sales_channel = 'pos' then 'fulfilled'
        when pick(6, 'paid later', order_no) = 0 then 'placed' else 'paid'
    end as order_status,
    null::timestamp as cancelled_at,
    ordered_at as updated_at,
    hourly(ordered_at, hours_late('order', order_no)) as loaded_at
from placed_orders
union all
select
    order_no,
    case when cancelled_at is null then 'fulfilled' else 'cancelled' end as order_status,
    cancelled_at,
    coalesce(cancelled_at, fulfilled_at) as changed_at,
    nightly(coalesce(cancelled_at, fulfilled_at), hours_late('order change', order_no)) as loaded_at
from placed_orders
where coalesce(cancelled_at, fulfilled_at) < clock();

create table refunds as
with returned as (
    select
        *,
        later(ordered_at, 86400 * (5 + 25 * u('refunded when', order_no))) as refunded_at,
        u('refund', order_no) as fate
    from placed_orders
    where cancelled_at is null
)

select
    order_no,
    order_lines.item,
    refunded_at,
    case when fate < 0.085 then 'line' else 'exchange' end as refund_type,
    case when quantity > 1 and pick(2, 'one of them', order_no) = 0 then 1 else quantity end
        as returned_quantity,
    cast(round(
        (line_amount + case when order_lines.is_tax_added then order_lines.tax_amount else 0 end)
        * returned_quantity / quantity, 2
    ) as decimal(18, 2)) as refund_amount,
    cast(round(order_lines.tax_amount * returned_quantity / quantity, 2) as decimal(18, 2))
        as tax_amount,
    ['too small', 'damaged', 'changed my mind', 'wrong item'][1 + pick(4, 'reason', order_no)]
        as reason
from returned inner join order_lines using (order_no)
where order_lines.item = 0 and fate < 0.095
union all
select
    order_no, null, refunded_at, 'shipping', null, shipping_amount, 0.00, 'late delivery'
from returned where fate between 0.095 and 0.115 and shipping_amount > 0
union all
select
    order_no, null, refunded_at, 'adjustment', null,
    cast(round(lines_amount / 10, 2) as decimal(18, 2)), 0.00, 'goodwill'
from returned where fate between 0.115 and 0.125;

delete from refunds where refunded_at >= clock() or refund_amount = 0;
