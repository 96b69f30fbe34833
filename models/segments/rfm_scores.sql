-- Grain: customer with an order that counts. The segment follows from R and F alone; M is beside it.
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
        {%- for measure in ['recency', 'frequency', 'monetary'] %}
        {%- for score in [2, 3, 4, 5] %}
        max(case when measure = '{{ measure }}' and score = {{ score }} then boundary_value end)
            as {{ measure }}_{{ score }}{{ ',' if not (loop.last and measure == 'monetary') }}
        {%- endfor %}
        {%- endfor %}
    from {{ ref('rfm_boundaries') }}
),

cells as (
    select * from {{ ref('rfm_segments') }}
),

measured as (
    select
        orders.*,
        {{ as_of_date() }} - orders.last_order_date as days_since_last_order,
        boundaries.*
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
