{{ config(materialized='view') }}

-- Grain: customer with an order that counts at the day, and day. Untransformed; not additive.
-- Windows are the last n whole days before the day. Two orders on one day are one purchase day.
{%- set windows = [7, 14, 30, 60, 90, 180] %}
with dates as (
    select * from {{ ref('feature_dates') }}
),

days as (
    select * from {{ ref('purchase_days') }}
),

counted as (
    select
        days.customer_key,
        dates.as_of_date,
        dates.is_of_run,
        days.order_date,
        dates.as_of_date - days.order_date as age_days,
        sum(days.order_count) as order_count,
        sum(days.line_count) as line_count,
        sum(days.gross_amount) as gross_amount,
        sum(days.discount_amount) as discount_amount,
        sum(days.net_amount) as net_amount,
        sum(days.costed_amount) as costed_amount,
        sum(days.margin_amount) as margin_amount
    from days
    inner join dates
        on
            days.is_of_run = dates.is_of_run
            and days.known_date < dates.as_of_date
            and days.gone_date >= dates.as_of_date
    group by days.customer_key, dates.as_of_date, dates.is_of_run, days.order_date
),

spaced as (
    select
        *,
        lag(order_date) over (
            partition by customer_key, as_of_date, is_of_run order by order_date
        ) as previous_date,
        lag(order_date, 2) over (
            partition by customer_key, as_of_date, is_of_run order by order_date
        ) as second_previous_date
    from counted
),

gapped as (
    select
        *,
        order_date - previous_date as gap_days
    from spaced
),

summed as (
    select
        customer_key,
        as_of_date,
        is_of_run,
        count(*) as purchase_day_count,
        min(age_days) as recency_days,
        max(age_days) as age_days,
        as_of_date - max(previous_date) as second_recency_days,
        as_of_date - max(second_previous_date) as third_recency_days,
        cast(sum(order_count) as bigint) as order_count,
        {{ money('sum(net_amount)') }} as net_amount,
        {{ money('sum(costed_amount)') }} as costed_amount,
        {{ money('sum(margin_amount)') }} as margin_amount,
        {{ money('coalesce(sum(case when previous_date is not null then net_amount end), 0)') }}
            as repeat_net_amount,
        {{ money('sum(gross_amount)') }} as gross_amount,
        {{ money('sum(discount_amount)') }} as discount_amount,
        {%- for window in windows %}
        cast({{ in_last('order_count', 'age_days', window) }} as bigint)
            as order_count_{{ window }}d,
        {{ money(in_last('net_amount', 'age_days', window)) }} as net_amount_{{ window }}d,
        {%- endfor %}
        count(case when age_days <= 30 then 1 end) as purchase_days_30d,
        count(case when age_days <= 90 then 1 end) as purchase_days_90d,
        count(
            distinct case when age_days <= 84 then {{ integer_divide('(age_days - 1)', '7') }} end
        ) as purchase_weeks_84d,
        cast({{ in_last('line_count', 'age_days', 90) }} as bigint) as line_count_90d,
        {{ money(in_last('gross_amount', 'age_days', 90)) }} as gross_amount_90d,
        {{ money(in_last('discount_amount', 'age_days', 90)) }} as discount_amount_90d,
        count(gap_days) as gap_count,
        cast(coalesce(sum(gap_days), 0) as bigint) as gap_sum,
        cast(coalesce(sum(gap_days * gap_days), 0) as bigint) as gap_square_sum,
        cast(max(gap_days) as bigint) as longest_gap_days,
        count(case when age_days <= 180 then gap_days end) as gap_count_180d,
        cast({{ in_last('gap_days', 'age_days', 180) }} as bigint) as gap_sum_180d,
        count(case when {{ iso_day_of_week('order_date') }} in (6, 7) then 1 end)
            as weekend_day_count
    from gapped
    group by customer_key, as_of_date, is_of_run
),

ranked as (
    select
        *,
        count(*) over (partition by as_of_date, is_of_run) as population_count,
        rank() over (partition by as_of_date, is_of_run order by recency_days) as recency_rank,
        rank() over (partition by as_of_date, is_of_run order by order_count) as frequency_rank,
        rank() over (partition by as_of_date, is_of_run order by net_amount) as monetary_rank
    from summed
),

-- The ranking to beat: R, F and M among all who had bought by the day, as in rfm_boundaries.
final as (
    select
        * exclude (population_count, recency_rank, frequency_rank, monetary_rank),
        {{ integer_divide(
            '(5 * (population_count - recency_rank + 1) + population_count - 1)',
            'population_count'
        ) }}
        + {{ integer_divide('(5 * (frequency_rank - 1))', 'population_count') }} + 1
        + {{ integer_divide('(5 * (monetary_rank - 1))', 'population_count') }} + 1
            as rfm_score
    from ranked
)

select * from final
