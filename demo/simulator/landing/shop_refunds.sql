with rendered as (
    select
        id('r', order_no) || '-' || coalesce(item, 99) as refund_id,
        id('r', order_no) as refund_group_id,
        id('o', order_no) as order_id,
        case when item is not null then id('l', order_no) || '-' || item end as order_line_id,
        refund_type,
        cast(returned_quantity as decimal(18, 4)) as quantity,
        refunded_at,
        refund_amount,
        tax_amount,
        reason,
        nightly(refunded_at, hours_late('refund', order_no)) as loaded_at
    from refunds
)

select * from rendered
union all by name
select * from rendered where hash(refund_id, 'twice') % 70 = 0
union all by name
select 'bad-' || refund_id as refund_id, order_id, refunded_at, -refund_amount as refund_amount,
    loaded_at
from rendered where hash(refund_id, 'bad') % 1500 = 0
order by loaded_at, refund_id
