-- Grain: measure (recency, frequency, monetary) and score. Taken on the first day of the clock's
-- month (in a shop's first month: today) and held until the next, so that nobody's score moves
-- because others bought. Integer arithmetic throughout: equal values get equal scores.
with customers as (
    select * from {{ ref('profiled_customers') }}
),

reference as (
    select
        case
            when
                exists (
                    select 1
                    from {{ orders_as_of(as_of_month()) }} as earlier
                    inner join customers on earlier.customer_key = customers.customer_key
                )
                then {{ as_of_month() }}
            else {{ as_of_date() }}
        end as taken_on
),

orders as (
    select counted.*
    from {{ orders_as_of('(select taken_on from reference)') }} as counted
    inner join customers on counted.customer_key = customers.customer_key
),

measured as (
    select
        orders.customer_key,
        reference.taken_on,
        reference.taken_on - max(orders.order_date) as recency_days,
        sum(
            case
                when {{ in_rfm_window('orders.order_date', 'reference.taken_on') }} then 1
                else 0
            end
        ) as order_count,
        sum(
            case
                when {{ in_rfm_window('orders.order_date', 'reference.taken_on') }}
                    then orders.net_revenue_amount
                else 0
            end
        ) as net_revenue_amount
    from orders
    cross join reference
    group by orders.customer_key, reference.taken_on
),

-- ceil(5 * cume_dist()) by last order date, and 1 + floor(5 * (rank() - 1) / count(*)).
scored as (
    select
        *,
        count(*) over () as population_count,
        -- Everyone whose last order is no later: all but the more recent.
        count(*) over () - rank() over (order by recency_days) + 1 as not_later_count,
        rank() over (order by order_count) as frequency_rank,
        rank() over (order by net_revenue_amount) as monetary_rank
    from measured
),

unpivoted as (
    select
        'recency' as measure,
        {{ integer_divide('(5 * not_later_count + population_count - 1)', 'population_count') }}
            as score,
        recency_days as measured_value,
        population_count,
        taken_on
    from scored
    union all
    select
        'frequency' as measure,
        1 + {{ integer_divide('(5 * (frequency_rank - 1))', 'population_count') }} as score,
        order_count as measured_value,
        population_count,
        taken_on
    from scored
    union all
    select
        'monetary' as measure,
        1 + {{ integer_divide('(5 * (monetary_rank - 1))', 'population_count') }} as score,
        net_revenue_amount as measured_value,
        population_count,
        taken_on
    from scored
),

final as (
    select
        measure,
        cast(score as integer) as score,
        -- The value that just earns the score: the most days, the fewest orders, the least money.
        {{ money(
            "case when measure = 'recency' then max(measured_value) else min(measured_value) end"
        ) }} as boundary_value,
        count(*) as customer_count,
        max(population_count) as population_count,
        max(taken_on) as taken_on
    from unpivoted
    group by measure, score
)

select * from final
