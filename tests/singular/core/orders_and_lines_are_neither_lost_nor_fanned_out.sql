-- The star schema holds exactly what staging accepted, to the cent.
with expected as (
    select
        'orders' as what,
        count(*) as row_count,
        sum(total_amount) as amount
    from {{ ref('base_shop__orders') }}
    where row_status = 'accepted'
    union all
    select
        'order_lines' as what,
        count(*) as row_count,
        sum(line_amount) as amount
    from {{ ref('base_shop__order_lines') }}
    where row_status = 'accepted'
    union all
    select
        'refunds' as what,
        count(*) as row_count,
        sum(refund_amount) as amount
    from {{ ref('base_shop__refunds') }}
    where row_status = 'accepted'
),

found as (
    select
        'orders' as what,
        count(*) as row_count,
        sum(total_amount) as amount
    from {{ ref('fct_orders') }}
    union all
    select
        'order_lines' as what,
        count(*) as row_count,
        sum(line_amount) as amount
    from {{ ref('fct_order_lines') }}
    union all
    select
        'refunds' as what,
        count(*) as row_count,
        sum(refund_amount) as amount
    from {{ ref('fct_refunds') }}
)

select
    expected.what,
    expected.row_count,
    found.row_count as found_row_count,
    expected.amount,
    found.amount as found_amount
from expected
inner join found on expected.what = found.what
where
    expected.row_count <> found.row_count
    or coalesce(expected.amount, 0) <> coalesce(found.amount, 0)
