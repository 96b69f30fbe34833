{{ config(materialized='view') }}

-- Grain: customer who did or was sent anything before the day, and day. Sums over the ledger,
-- untransformed. The site's columns are null for people who do not allow to be tracked.
{%- set windowed = {
    'email_sent_count': [30, 90], 'email_delivered_count': [90], 'email_open_count': [30, 90],
    'email_click_count': [30, 90, 180], 'session_count': [7, 30, 90], 'product_view_count': [7, 30],
    'cart_add_count': [7, 30, 90], 'checkout_count': [30], 'search_count': [30],
    'engaged_seconds': [30], 'social_interaction_count': [90], 'service_interaction_count': [90],
    'coupon_redemption_count': [90],
} %}
{%- set of_site = [
    'session_count', 'product_view_count', 'cart_add_count', 'checkout_count', 'search_count',
    'engaged_seconds',
] %}
with dates as (
    select * from {{ ref('feature_dates') }}
),

days as (
    select * from {{ ref('fct_customer_days') }}
),

customers as (
    select * from {{ ref('profiled_customers') }}
),

trackable as (
    select * from {{ ref('trackable_customers') }}
),

aged as (
    select
        days.*,
        dates.as_of_date,
        dates.is_of_run,
        dates.as_of_date - days.activity_date as age_days,
        trackable.customer_key is not null as is_trackable
    from days
    inner join customers on days.customer_key = customers.customer_key
    left join trackable on days.customer_key = trackable.customer_key
    inner join dates on days.activity_date < dates.as_of_date
),

final as (
    select
        customer_key,
        as_of_date,
        is_of_run,
        max(case when is_trackable then 1 else 0 end) as trackable_number,
        max(age_days) as first_age_days,
        min(case when email_sent_count > 0 then age_days end) as email_sent_age_days,
        min(case when email_open_count > 0 or email_click_count > 0 then age_days end)
            as email_response_age_days,
        min(case when email_click_count > 0 then age_days end) as email_click_age_days,
        min(case when session_count > 0 and is_trackable then age_days end) as session_age_days,
        min(case when cart_add_count > 0 and is_trackable then age_days end) as cart_age_days,
        min(case when coupon_redemption_count > 0 then age_days end) as redemption_age_days,
        cast(sum(coupon_redemption_count) as bigint) as coupon_redemption_count,
        {%- for column, days in windowed.items() %}
        {%- for window in days %}
        cast(
            {{ in_last(
                'case when is_trackable then ' ~ column ~ ' end' if column in of_site else column,
                'age_days', window
            ) }} as bigint
        ) as {{ column }}_{{ window }}d,
        {%- endfor %}
        {%- endfor %}
        count(distinct case when session_count > 0 and is_trackable and age_days <= 30 then age_days end)
            as session_days_30d
    from aged
    group by customer_key, as_of_date, is_of_run
)

select * from final
