{{ config(materialized='view') }}

-- Grain: customer to whom anything but an order happened before the day, and day. Sums over days,
-- untransformed; not additive. A visit is a day on the site,
-- on however many devices.
{%- set windowed = {
    'email_sent_count': [30, 90], 'email_delivered_count': [90], 'email_open_count': [30, 90],
    'email_click_count': [30, 90], 'product_view_count': [7, 30],
    'cart_add_count': [7, 30, 90], 'checkout_count': [30], 'search_count': [30],
    'engaged_seconds': [30], 'social_interaction_count': [90], 'service_interaction_count': [90],
    'coupon_redemption_count': [90],
} %}
with dates as (
    select * from {{ ref('feature_dates') }}
),

days as (
    select * from {{ ref('contact_days') }}
),

aged as (
    select
        days.*,
        dates.as_of_date,
        dates.as_of_date - days.activity_date as age_days
    from days
    inner join dates
        on
            days.is_of_run = dates.is_of_run
            and days.known_date < dates.as_of_date
            and days.gone_date >= dates.as_of_date
),

final as (
    select
        customer_key,
        as_of_date,
        is_of_run,
        max(age_days) as first_contact_age_days,
        min(case when email_sent_count > 0 then age_days end) as email_sent_age_days,
        min(case when email_open_count > 0 or email_click_count > 0 then age_days end)
            as email_response_age_days,
        min(case when visit_count > 0 then age_days end) as visit_age_days,
        min(case when cart_add_count > 0 then age_days end) as cart_age_days,
        {%- for window in [7, 30, 90] %}
        count(distinct case when visit_count > 0 and age_days <= {{ window }} then age_days end)
            as visit_count_{{ window }}d,
        {%- endfor %}
        {%- for column, windows in windowed.items() %}
        {%- for window in windows %}
        cast({{ in_last(column, 'age_days', window) }} as bigint) as {{ column }}_{{ window }}d,
        {%- endfor %}
        {%- endfor %}
        cast(sum(coupon_redemption_count) as bigint) as coupon_redemption_count
    from aged
    group by customer_key, as_of_date, is_of_run
)

select * from final
