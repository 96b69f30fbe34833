with rendered as (
    select
        id('l', order_no) || '-' || item as order_line_id,
        id('o', order_no) as order_id,
        product_id,
        case when product_no < 1000000 then 'sku-' || product_no end as sku,
        cast(quantity as decimal(18, 4)) as quantity,
        unit_price,
        discount_amount,
        line_amount,
        tax_amount,
        hourly(ordered_at, hours_late('order', order_no)) as loaded_at
    from order_lines
    inner join products using (product_no)
)

select * from rendered
union all by name
select * from rendered where hash(order_line_id, 'twice') % 140 = 0
union all by name
select * replace (loaded_at + interval 1 day as loaded_at)
from rendered where hash(order_line_id, 'again') % 140 = 0
union all by name
select 'bad-' || order_line_id as order_line_id, order_id, product_id,
    cast(-1 as decimal(18, 4)) as quantity, line_amount, loaded_at
from rendered where hash(order_line_id, 'bad') % 2000 = 0
order by loaded_at, order_line_id
