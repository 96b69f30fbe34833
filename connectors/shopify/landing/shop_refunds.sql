-- One row per refunded line, and one per adjustment that gave money back: refunded shipping, and
-- what was given beyond the lines. An adjustment of the other sign says that less was given back
-- than the lines come to; the landing knows no such row, so the lines of its refund bear it, in
-- proportion to what they come to.
with orders as (
    select * from {{ raw('order') }}
),

refunds as (
    select * from {{ raw('refund') }}
),

line_refunds as (
    select * from {{ raw('order_line_refund') }}
),

adjustments as (
    select * from {{ raw('order_adjustment') }}
),

dated as (
    select
        refunds.id as refund_id,
        refunds.order_id,
        refunds.note,
        orders.taxes_included,
        coalesce(refunds.processed_at, refunds.created_at) as refunded_at,
        refunds._fivetran_synced as loaded_at
    from refunds
    left join orders on refunds.order_id = orders.id
),

refunded_lines as (
    select
        dated.*,
        line_refunds.id as line_refund_id,
        line_refunds.order_line_id,
        line_refunds.quantity,
        coalesce(line_refunds.total_tax, 0) as tax_amount,
        coalesce(line_refunds.subtotal, 0)
        + case when dated.taxes_included then 0 else coalesce(line_refunds.total_tax, 0) end
            as amount
    from line_refunds
    inner join dated on line_refunds.refund_id = dated.refund_id
),

kept_back as (
    select
        refund_id,
        sum(amount + coalesce(tax_amount, 0)) as amount
    from adjustments
    where amount + coalesce(tax_amount, 0) > 0
    group by refund_id
),

summed as (
    select
        refunded_lines.*,
        sum(refunded_lines.amount) over (partition by refunded_lines.refund_id) as all_amount,
        sum(refunded_lines.amount) over (
            partition by refunded_lines.refund_id
            order by refunded_lines.line_refund_id
            rows between unbounded preceding and current row
        ) as amount_so_far,
        coalesce(kept_back.amount, 0) as kept_amount
    from refunded_lines
    left join kept_back on refunded_lines.refund_id = kept_back.refund_id
),

-- The difference of two rounded running sums: the parts add up to the whole.
shared as (
    select
        summed.*,
        case
            when all_amount <= 0 then 0
            when kept_amount >= all_amount then amount
            else
                round(kept_amount * amount_so_far / all_amount, 2)
                - round(kept_amount * (amount_so_far - amount) / all_amount, 2)
        end as kept_of_line
    from summed
),

lines as (
    select
        refund_id || ':' || line_refund_id as refund_id,
        refund_id as refund_group_id,
        order_id,
        order_line_id,
        'line' as refund_type,
        quantity,
        refunded_at,
        cast(amount - kept_of_line as decimal(18, 4)) as refund_amount,
        cast(
            case when amount > 0 then round(tax_amount * (amount - kept_of_line) / amount, 2) else 0 end
            as decimal(18, 4)
        ) as tax_amount,
        note as reason,
        loaded_at
    from shared
),

beyond_lines as (
    select
        dated.refund_id || ':' || adjustments.id as refund_id,
        dated.refund_id as refund_group_id,
        dated.order_id,
        cast(null as varchar) as order_line_id,
        case when adjustments.kind = 'shipping_refund' then 'shipping' else 'adjustment' end
            as refund_type,
        cast(null as decimal(18, 4)) as quantity,
        dated.refunded_at,
        cast(-(adjustments.amount + coalesce(adjustments.tax_amount, 0)) as decimal(18, 4))
            as refund_amount,
        cast(-coalesce(adjustments.tax_amount, 0) as decimal(18, 4)) as tax_amount,
        coalesce(adjustments.reason, dated.note) as reason,
        dated.loaded_at
    from adjustments
    inner join dated on adjustments.refund_id = dated.refund_id
    where adjustments.amount + coalesce(adjustments.tax_amount, 0) < 0
)

select * from lines
union all
select * from beyond_lines
