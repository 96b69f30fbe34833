-- Grain: customer with an order that counts. The segment follows from R and F; M stands beside it.
with orders as (
    select
        customer_key,
        max(order_date) as last_order_date,
        sum(case when {{ in_rfm_window('order_date', as_of_date()) }} then 1 else 0 end)
            as order_count,
        sum(
            case
                when {{ in_rfm_window('order_date', as_of_date()) }} then net_revenue_amount
                else 0
            end
        ) as net_revenue_amount
    from {{ ref('customer_orders') }}
    group by customer_key
),

boundaries as (
    select
        {{ rfm_boundary('recency', 2) }} as recency_2,
        {{ rfm_boundary('recency', 3) }} as recency_3,
        {{ rfm_boundary('recency', 4) }} as recency_4,
        {{ rfm_boundary('recency', 5) }} as recency_5,
        {{ rfm_boundary('frequency', 2) }} as frequency_2,
        {{ rfm_boundary('frequency', 3) }} as frequency_3,
        {{ rfm_boundary('frequency', 4) }} as frequency_4,
        {{ rfm_boundary('frequency', 5) }} as frequency_5,
        {{ rfm_boundary('monetary', 2) }} as monetary_2,
        {{ rfm_boundary('monetary', 3) }} as monetary_3,
        {{ rfm_boundary('monetary', 4) }} as monetary_4,
        {{ rfm_boundary('monetary', 5) }} as monetary_5
    from {{ ref('rfm_boundaries') }}
),

cells as (
    select * from {{ ref('rfm_segments') }}
),

measured as (
    select
        orders.*,
        boundaries.*,
        {{ as_of_date() }} - orders.last_order_date as days_since_last_order
    from orders
    cross join boundaries
),

scored as (
    select
        *,
        case
            when days_since_last_order <= recency_5 then 5
            when days_since_last_order <= recency_4 then 4
            when days_since_last_order <= recency_3 then 3
            when days_since_last_order <= recency_2 then 2
            else 1
        end as recency_score,
        case
            when order_count >= frequency_5 then 5
            when order_count >= frequency_4 then 4
            when order_count >= frequency_3 then 3
            when order_count >= frequency_2 then 2
            else 1
        end as frequency_score,
        case
            when net_revenue_amount >= monetary_5 then 5
            when net_revenue_amount >= monetary_4 then 4
            when net_revenue_amount >= monetary_3 then 3
            when net_revenue_amount >= monetary_2 then 2
            else 1
        end as monetary_score
    from measured
),

final as (
    select
        scored.customer_key,
        scored.last_order_date,
        scored.days_since_last_order,
        cast(scored.order_count as bigint) as order_count,
        {{ money('scored.net_revenue_amount') }} as net_revenue_amount,
        scored.recency_score,
        scored.frequency_score,
        scored.monetary_score,
        cells.segment_id
    from scored
    inner join cells
        on
            scored.recency_score = cells.recency_score
            and scored.frequency_score = cells.frequency_score
)

select * from final
