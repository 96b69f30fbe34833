{{ config(materialized='view') }}

-- Grain: customer who was there at the day, and day: all that is measured of them, untransformed,
-- null where nothing is known. Not additive. People without a customer id are there on the run's
-- day only (docs/decisions/0031).
{%- set columns = [
    'purchase_day_count', 'recency_days', 'age_days', 'second_recency_days', 'third_recency_days',
    'order_count', 'net_amount', 'costed_amount', 'margin_amount', 'repeat_net_amount',
    'gross_amount', 'discount_amount',
    'order_count_7d', 'net_amount_7d', 'order_count_14d', 'net_amount_14d', 'order_count_30d',
    'net_amount_30d', 'order_count_60d', 'net_amount_60d', 'order_count_90d', 'net_amount_90d',
    'order_count_180d', 'net_amount_180d', 'purchase_days_30d', 'purchase_days_90d',
    'purchase_weeks_84d', 'line_count_90d', 'gross_amount_90d', 'discount_amount_90d', 'gap_count',
    'gap_sum', 'gap_square_sum', 'longest_gap_days', 'gap_count_180d', 'gap_sum_180d',
    'weekend_day_count', 'rfm_score', 'first_contact_age_days', 'email_sent_age_days',
    'email_response_age_days', 'visit_age_days', 'cart_age_days', 'coupon_redemption_count',
    'email_sent_count_30d', 'email_sent_count_90d', 'email_delivered_count_90d',
    'email_open_count_30d', 'email_open_count_90d', 'email_click_count_30d',
    'email_click_count_90d', 'visit_count_7d', 'visit_count_30d', 'visit_count_90d',
    'product_view_count_7d', 'product_view_count_30d', 'cart_add_count_7d', 'cart_add_count_30d',
    'cart_add_count_90d', 'checkout_count_30d', 'search_count_30d', 'engaged_seconds_30d',
    'social_interaction_count_90d', 'service_interaction_count_90d', 'coupon_redemption_count_90d',
    'category_count_180d', 'category_count_90d', 'line_count_180d', 'top_line_count_180d',
] %}
with dates as (
    select * from {{ ref('feature_dates') }}
),

customers as (
    select * from {{ ref('profiled_customers') }}
),

dated_identifiers as (
    select * from {{ ref('dim_dated_identifiers') }}
    where identifier_type = 'customer_id' and signed_up_at is not null
),

signed_up as (
    select
        true as is_of_run,
        customer_key,
        signed_up_date
    from customers
    union all
    select
        false as is_of_run,
        dated_identifiers.dated_key as customer_key,
        min({{ local_date('dated_identifiers.signed_up_at') }}) as signed_up_date
    from dated_identifiers
    inner join customers on dated_identifiers.customer_key = customers.customer_key
    group by dated_identifiers.dated_key
),

there as (
    select
        signed_up.customer_key,
        dates.as_of_date,
        dates.is_of_run,
        dates.as_of_date - signed_up.signed_up_date as signup_age_days
    from signed_up
    inner join dates on signed_up.is_of_run = dates.is_of_run
    where dates.is_of_run or signed_up.signed_up_date < dates.as_of_date
),

-- United, not joined: a filter on is_of_run reaches every family.
united as (
    select * from there
    union all by name
    select * from {{ ref('purchase_features') }}
    union all by name
    select * from {{ ref('engagement_features') }}
    union all by name
    select * from {{ ref('basket_features') }}
),

summed as (
    select
        customer_key,
        as_of_date,
        is_of_run,
        {%- for column in columns %}
        max({{ column }}) as {{ column }},
        {%- endfor %}
        max(signup_age_days) as signup_age_days
    from united
    group by customer_key, as_of_date, is_of_run
),

final as (
    select
        *,
        greatest(
            coalesce(signup_age_days, 0),
            coalesce(age_days, 0),
            coalesce(first_contact_age_days, 0)
        ) as tenure_days,
        cast(gap_sum as double) / nullif(gap_count, 0) as mean_gap_days,
        cast(gap_sum_180d as double) / nullif(gap_count_180d, 0) as mean_gap_days_180d,
        sqrt(cast(gap_count * gap_square_sum - gap_sum * gap_sum as double))
        / nullif(gap_count, 0) as gap_spread_days
    from summed
)

select * from final
