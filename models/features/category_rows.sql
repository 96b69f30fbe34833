{{ config(materialized='view') }}

-- Grain: customer, category bought in the 365 days before the day, and day: the inputs of models
-- that ask whether it is bought again, transformed. Sensitive categories are left out.
with dates as (
    select
        {{ as_of_date() }} as as_of_date,
        true as is_of_run
    union all
    select distinct
        as_of_date,
        false as is_of_run
    from {{ ref('training_cutoffs') }}
    where grain = 'customer_category'
),

category_days as (
    select * from {{ ref('category_days') }}
),

purchases as (
    select * from {{ ref('purchase_features') }}
),

-- For how many customers one stands: training reads a sample of a large shop.
weights as (
    select
        false as is_of_run,
        max(person_weight) as person_weight
    from {{ ref('dim_dated_people') }}
    union all
    select
        true as is_of_run,
        cast(1 as double) as person_weight
),

days as (
    select
        category_days.customer_key,
        dates.as_of_date,
        dates.is_of_run,
        category_days.category,
        dates.as_of_date - category_days.order_date as age_days,
        sum(category_days.line_count) as line_count
    from category_days
    inner join dates
        on
            category_days.is_of_run = dates.is_of_run
            and category_days.known_date < dates.as_of_date
            and category_days.gone_date >= dates.as_of_date
            and category_days.order_date >= dates.as_of_date - 365
    group by
        category_days.customer_key, dates.as_of_date, dates.is_of_run, category_days.category,
        category_days.order_date
),

summed as (
    select
        customer_key,
        category,
        as_of_date,
        is_of_run,
        count(*) as day_count,
        min(age_days) as category_recency_days,
        max(age_days) as category_age_days,
        {%- for window in [14, 30, 90, 180] %}
        count(case when age_days <= {{ window }} then 1 end) as days_{{ window }}d,
        {%- endfor %}
        sum(line_count) as line_count
    from days
    group by customer_key, category, as_of_date, is_of_run
),

-- How often the shop's customers come back to the category.
compared as (
    select
        *,
        count(*) over (partition by as_of_date, is_of_run, category) as buyer_count,
        count(case when days_14d > 0 then 1 end) over (
            partition by as_of_date, is_of_run, category
        ) as buyer_count_14d,
        cast(category_age_days - category_recency_days as double) / nullif(day_count - 1, 0)
            as category_gap_days
    from summed
),

final as (
    select
        compared.customer_key,
        compared.category as item_id,
        compared.as_of_date,
        compared.is_of_run,
        cast(compared.category_recency_days as double) as category_recency_days,
        cast(purchases.recency_days as double) as recency_days,
        cast(purchases.rfm_score as double) as rfm_score,
        {{ flag_feature('true') }} as purchased_before,
        {{ flag_feature('compared.day_count < 2') }} as missing_category_gap,
        {{ log_feature('compared.category_recency_days', 365) }} as log_category_recency_days,
        {{ log_feature('compared.day_count', 365) }} as log_category_days_365d,
        {%- for window in [14, 30, 90, 180] %}
        {{ log_feature('compared.days_' ~ window ~ 'd', 365) }} as log_category_days_{{ window }}d,
        {%- endfor %}
        {{ log_feature('compared.category_gap_days', 365, '365') }} as log_category_gap_days,
        {{ ratio_feature(
            'compared.category_recency_days', 'coalesce(compared.category_gap_days, 365)'
        ) }} as log_category_recency_over_gap,
        {{ rate_feature(
            'exp(-compared.category_recency_days / (compared.category_gap_days + 1))'
        ) }} as category_decay_rate,
        {{ rate_feature(
            'compared.days_90d / nullif(cast(purchases.purchase_days_90d as double), 0)'
        ) }} as category_day_rate_90d,
        {{ log_feature('compared.line_count / cast(compared.day_count as double)') }}
            as log_category_lines_per_day,
        {{ rate_feature('compared.buyer_count_14d / cast(compared.buyer_count as double)') }}
            as category_return_rate_14d,
        {{ log_feature('compared.buyer_count * weights.person_weight', 100000000) }}
            as log_category_buyers,
        {{ log_feature('purchases.recency_days', 3650) }} as log_recency_days,
        {{ log_feature('purchases.order_count_14d', 10000) }} as log_order_count_14d,
        {{ log_feature('purchases.order_count_30d', 10000) }} as log_order_count_30d,
        {{ log_feature('purchases.order_count_90d', 10000) }} as log_order_count_90d,
        {{ log_feature('purchases.net_amount_90d') }} as log_net_revenue_90d,
        {{ log_feature(
            'purchases.line_count_90d / nullif(cast(purchases.order_count_90d as double), 0)'
        ) }} as log_lines_per_order_90d,
        {{ log_feature(
            'cast(14 * compared.days_90d as double) / least(compared.category_age_days, 90)'
        ) }} as log_expected_category_days_14d
    from compared
    inner join purchases
        on
            compared.customer_key = purchases.customer_key
            and compared.as_of_date = purchases.as_of_date
            and compared.is_of_run = purchases.is_of_run
    inner join weights on compared.is_of_run = weights.is_of_run
)

select * from final
