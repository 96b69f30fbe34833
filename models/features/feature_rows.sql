{{ config(materialized='view') }}

-- Grain: customer who was there at the day, and day. All transforms of customer features happen
-- here: the run's row and the rows of training come from the same lines. What each of them is, in
-- which unit and what stands for a missing one is in seeds/models/feature_catalog.csv.
with measures as (
    select * from {{ ref('customer_measures') }}
),

final as (
    select
        customer_key,
        as_of_date,
        is_of_run,
        {{ flag_feature('purchase_day_count > 0') }} as purchased_before,
        cast(coalesce(recency_days, 3650) as double) as recency_days,
        cast(coalesce(age_days, 0) as double) as age_days,
        cast(coalesce(purchase_day_count - 1, 0) as integer) as repeat_count,
        cast(
            round(
                coalesce(
                    cast(repeat_net_amount as double) / nullif(purchase_day_count - 1, 0), 0
                ),
                4
            ) as double
        ) as mean_repeat_value,
        cast(coalesce(net_amount, 0) as double) as net_revenue_before,
        cast(coalesce(costed_amount, 0) as double) as costed_revenue_before,
        cast(coalesce(margin_amount, 0) as double) as margin_before,
        cast(coalesce(order_count_90d, 0) as double) as order_count_90d,
        cast(coalesce(net_amount_90d, 0) as double) as net_revenue_90d,
        cast(coalesce(email_open_count_90d + email_click_count_90d, 0) as double)
            as email_responses_90d,
        cast(coalesce(rfm_score, 0) as double) as rfm_score,
        {{ flag_feature('purchase_day_count is null') }} as missing_purchases,
        {{ flag_feature('coalesce(gap_count, 0) = 0') }} as missing_rhythm,
        {{ flag_feature('coalesce(gap_count, 0) < 2') }} as missing_gap_spread,
        {{ flag_feature('email_sent_age_days is null') }} as missing_email,
        {{ flag_feature('visit_age_days is null') }} as missing_visits,
        {{ flag_feature('line_count_180d is null') }} as missing_baskets,
        {{ log_feature('recency_days', 3650, 'tenure_days') }} as log_recency_days,
        {{ log_feature('second_recency_days', 3650, 'tenure_days') }} as log_second_recency_days,
        {{ log_feature('third_recency_days', 3650, 'tenure_days') }} as log_third_recency_days,
        {{ log_feature('order_count', 10000) }} as log_order_count_all,
        {{ log_feature('net_amount') }} as log_net_revenue,
        {{ log_feature('order_count_7d', 10000) }} as log_order_count_7d,
        {{ log_feature('net_amount_7d') }} as log_net_revenue_7d,
        {{ log_feature('order_count_14d', 10000) }} as log_order_count_14d,
        {{ log_feature('net_amount_14d') }} as log_net_revenue_14d,
        {{ log_feature('order_count_30d', 10000) }} as log_order_count_30d,
        {{ log_feature('net_amount_30d') }} as log_net_revenue_30d,
        {{ log_feature('order_count_60d', 10000) }} as log_order_count_60d,
        {{ log_feature('net_amount_60d') }} as log_net_revenue_60d,
        {{ log_feature('order_count_90d', 10000) }} as log_order_count_90d,
        {{ log_feature('net_amount_90d') }} as log_net_revenue_90d,
        {{ log_feature('order_count_180d', 10000) }} as log_order_count_180d,
        {{ log_feature('net_amount_180d') }} as log_net_revenue_180d,
        {{ log_feature('purchase_days_30d') }} as log_purchase_days_30d,
        {{ log_feature('purchase_days_90d') }} as log_purchase_days_90d,
        {{ rate_feature('cast(purchase_weeks_84d as double) / 12') }} as purchase_week_rate_84d,
        {{ rate_feature(
            'power('
            ~ 'cast(age_days - recency_days + 1 as double) / (age_days + 1), '
            ~ 'least(purchase_day_count - 1, 50))'
        ) }} as alive_rate,
        {{ log_feature('cast(365 * purchase_day_count as double) / (age_days + 30)') }}
            as log_yearly_rate,
        {{ log_feature(expected_days('purchase_day_count', 'recency_days', 'age_days')) }}
            as log_expected_days_365d,
        {{ log_feature('mean_gap_days', 3650, 'tenure_days') }} as log_mean_gap_days,
        {{ log_feature('mean_gap_days_180d', 180, '180') }} as log_mean_gap_days_180d,
        {{ log_feature('gap_spread_days', 3650, 'tenure_days') }} as log_gap_spread_days,
        {{ ratio_feature('gap_spread_days', 'mean_gap_days') }} as log_gap_variation,
        {{ ratio_feature('recency_days', 'coalesce(mean_gap_days, tenure_days)') }}
            as log_recency_over_gap,
        {{ ratio_feature('recency_days', 'coalesce(mean_gap_days_180d, 180)') }}
            as log_recency_over_gap_180d,
        {{ ratio_feature(
            'recency_days', 'coalesce(longest_gap_days, tenure_days)'
        ) }} as log_recency_over_longest_gap,
        cast(
            round(
                least(
                    greatest(
                        coalesce((recency_days - mean_gap_days) / (gap_spread_days + 3), 0), -3
                    ),
                    6
                ),
                6
            ) as double
        ) as recency_in_spreads,
        {{ rate_feature('exp(-recency_days / (mean_gap_days_180d + 1))') }} as recency_decay_rate,
        {{ log_feature('cast(net_amount as double) / nullif(order_count, 0)') }} as log_order_value,
        {{ log_feature(
            'cast(net_amount_90d as double) / nullif(order_count_90d, 0)', 1000000,
            'coalesce(cast(net_amount as double) / nullif(order_count, 0), 0)'
        ) }} as log_order_value_90d,
        {{ log_feature('line_count_90d / nullif(cast(order_count_90d as double), 0)') }}
            as log_lines_per_order_90d,
        {{ rate_feature('cast(discount_amount_90d as double) / nullif(gross_amount_90d, 0)') }}
            as discount_rate_90d,
        {{ rate_feature('cast(discount_amount as double) / nullif(gross_amount, 0)') }}
            as discount_rate,
        {{ log_feature('category_count_90d') }} as log_category_count_90d,
        {{ log_feature('category_count_180d') }} as log_category_count_180d,
        {{ rate_feature('cast(top_line_count_180d as double) / line_count_180d') }}
            as top_category_rate_180d,
        {{ rate_feature('weekend_day_count / cast(purchase_day_count as double)') }}
            as weekend_rate,
        {{ ratio_feature('2.0 * order_count_7d', 'order_count_14d') }} as log_order_trend_7d,
        {{ ratio_feature('3.0 * order_count_30d', 'order_count_90d') }} as log_order_trend_30d,
        {{ ratio_feature('2.0 * order_count_90d', 'order_count_180d') }} as log_order_trend_90d,
        {{ ratio_feature('cast(90 as double) / 14 * net_amount_14d', 'net_amount_90d', 10) }}
            as log_spend_trend_14d,
        {{ ratio_feature('3.0 * net_amount_30d', 'net_amount_90d', 10) }} as log_spend_trend_30d,
        {{ ratio_feature('2.0 * net_amount_90d', 'net_amount_180d', 10) }} as log_spend_trend_90d,
        {{ log_feature('tenure_days', 7300) }} as log_tenure_days,
        {{ log_feature('coupon_redemption_count') }} as log_redemption_count_all,
        {{ log_feature('coupon_redemption_count_90d') }} as log_redemption_count_90d,
        {{ log_feature('email_sent_count_30d') }} as log_email_sent_count_30d,
        {{ log_feature('email_open_count_30d') }} as log_email_open_count_30d,
        {{ log_feature('email_open_count_90d') }} as log_email_open_count_90d,
        {{ log_feature('email_click_count_30d') }} as log_email_click_count_30d,
        {{ log_feature('email_click_count_90d') }} as log_email_click_count_90d,
        {{ log_feature('visit_count_7d') }} as log_visit_count_7d,
        {{ log_feature('visit_count_30d') }} as log_visit_count_30d,
        {{ log_feature('visit_count_90d') }} as log_visit_count_90d,
        {{ log_feature('product_view_count_7d') }} as log_product_view_count_7d,
        {{ log_feature('product_view_count_30d') }} as log_product_view_count_30d,
        {{ log_feature('search_count_30d') }} as log_search_count_30d,
        {{ log_feature('cart_add_count_7d') }} as log_cart_add_count_7d,
        {{ log_feature('cart_add_count_30d') }} as log_cart_add_count_30d,
        {{ log_feature('checkout_count_30d') }} as log_checkout_count_30d,
        {{ log_feature('engaged_seconds_30d') }} as log_engaged_seconds_30d,
        {{ log_feature('social_interaction_count_90d') }} as log_social_interaction_count_90d,
        {{ log_feature('service_interaction_count_90d') }} as log_service_interaction_count_90d,
        {{ rate_feature(
            'cast(email_open_count_90d + 1 as double) / (email_delivered_count_90d + 5)', '0.2'
        ) }} as email_open_rate_90d,
        {{ rate_feature(
            'cast(email_click_count_90d + 0.5 as double) / (email_delivered_count_90d + 10)', '0.05'
        ) }} as email_click_rate_90d,
        {{ log_feature('email_response_age_days', 365, '365') }} as log_email_response_age_days,
        {{ log_feature('visit_age_days', 365, '365') }} as log_visit_age_days,
        {{ log_feature('cart_age_days', 90, '90') }} as log_cart_age_days
    from measures
)

select * from final
