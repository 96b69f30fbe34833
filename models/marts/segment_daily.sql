-- Grain: segment and day, from the first build on this state to today. A day shows the members
-- after its build; net revenue is what they bought on it, so today's is 0 until tomorrow.
-- Not additive over segments.
with spells as (
    select * from {{ ref('segment_spells') }}
),

-- The days that this state knows.
beginning as (
    select min(entered_date) as first_date from spells
),

dates as (
    select days.date_day
    from {{ ref('dim_dates') }} as days
    inner join beginning on days.date_day >= beginning.first_date
    where days.date_day <= {{ as_of_date() }}
),

catalog as (
    select segment_id from {{ ref('segment_directory') }}
),

revenue as (
    select
        orders.customer_key,
        orders.order_date,
        sum(orders.net_revenue_amount) as net_revenue_amount
    from {{ ref('customer_orders') }} as orders
    inner join beginning on orders.order_date >= beginning.first_date
    group by orders.customer_key, orders.order_date
),

members as (
    select
        spells.segment_id,
        dates.date_day,
        count(*) as member_count,
        sum(case when spells.entered_date = dates.date_day then 1 else 0 end) as entered_count,
        sum(revenue.net_revenue_amount) as net_revenue_amount
    from spells
    inner join dates
        on
            spells.entered_date <= dates.date_day
            and (spells.left_date is null or spells.left_date > dates.date_day)
    left join revenue
        on spells.customer_key = revenue.customer_key and dates.date_day = revenue.order_date
    group by spells.segment_id, dates.date_day
),

leavers as (
    select
        segment_id,
        left_date as date_day,
        count(*) as left_count
    from spells
    where left_date is not null
    group by segment_id, left_date
),

final as (
    select
        dates.date_day,
        catalog.segment_id,
        coalesce(members.member_count, 0) as member_count,
        cast(coalesce(members.entered_count, 0) as bigint) as entered_count,
        coalesce(leavers.left_count, 0) as left_count,
        {{ money('coalesce(members.net_revenue_amount, 0)') }} as net_revenue_amount
    from dates
    cross join catalog
    left join members
        on dates.date_day = members.date_day and catalog.segment_id = members.segment_id
    left join leavers
        on dates.date_day = leavers.date_day and catalog.segment_id = leavers.segment_id
)

select * from final
