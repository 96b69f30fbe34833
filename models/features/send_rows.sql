{{ config(materialized='view') }}

-- Grain: customer, campaign and day of the send (of the run: customer and the next campaign): the
-- inputs of models that ask what becomes of a send, transformed. Known on the days before the send.
with sends as (
    select * from {{ ref('campaign_sends') }}
),

contacts as (
    select * from {{ ref('contact_days') }}
),

purchases as (
    select * from {{ ref('purchase_days') }}
),

contacted as (
    select
        sends.is_of_run,
        sends.customer_key,
        sends.item_id,
        sends.as_of_date,
        count(case when contacts.email_sent_count > 0 then 1 end) as email_sent_days,
        sum(contacts.email_delivered_count) as email_delivered_count,
        sum(contacts.email_open_count) as email_open_count,
        sum(contacts.email_click_count) as email_click_count,
        {{ in_last(
            'contacts.email_click_count', 'sends.as_of_date - contacts.activity_date', 90
        ) }} as email_click_count_90d,
        sum(contacts.coupon_redemption_count) as redemption_count,
        count(case when contacts.coupon_redemption_count > 0 then 1 end) as redemption_days,
        {{ in_last(
            'contacts.coupon_redemption_count', 'sends.as_of_date - contacts.activity_date', 60
        ) }} as redemption_count_60d,
        min(
            case
                when contacts.coupon_redemption_count > 0
                    then sends.as_of_date - contacts.activity_date
            end
        ) as redemption_age_days,
        min(
            case
                when contacts.email_open_count + contacts.email_click_count > 0
                    then sends.as_of_date - contacts.activity_date
            end
        ) as response_age_days
    from sends
    inner join contacts
        on
            sends.is_of_run = contacts.is_of_run
            and sends.customer_key = contacts.customer_key
            and sends.as_of_date > contacts.known_date
            and sends.as_of_date <= contacts.gone_date
    group by sends.is_of_run, sends.customer_key, sends.item_id, sends.as_of_date
),

purchased as (
    select
        sends.is_of_run,
        sends.customer_key,
        sends.item_id,
        sends.as_of_date,
        min(sends.as_of_date - purchases.order_date) as recency_days,
        sum(purchases.order_count) as order_count,
        sum(purchases.net_amount) as net_amount,
        sum(purchases.coupon_order_count) as coupon_order_count,
        {{ in_last(
            'purchases.coupon_order_count', 'sends.as_of_date - purchases.order_date', 90
        ) }} as coupon_order_count_90d,
        {{ in_last('purchases.order_count', 'sends.as_of_date - purchases.order_date', 30) }}
            as order_count_30d,
        {{ in_last('purchases.order_count', 'sends.as_of_date - purchases.order_date', 90) }}
            as order_count_90d,
        {{ in_last('purchases.line_count', 'sends.as_of_date - purchases.order_date', 90) }}
            as line_count_90d,
        {{ in_last('purchases.net_amount', 'sends.as_of_date - purchases.order_date', 90) }}
            as net_amount_90d,
        {{ in_last('purchases.discount_amount', 'sends.as_of_date - purchases.order_date', 90) }}
            as discount_amount_90d,
        {{ in_last('purchases.gross_amount', 'sends.as_of_date - purchases.order_date', 90) }}
            as gross_amount_90d
    from sends
    inner join purchases
        on
            sends.is_of_run = purchases.is_of_run
            and sends.customer_key = purchases.customer_key
            and sends.as_of_date > purchases.known_date
            and sends.as_of_date <= purchases.gone_date
    group by sends.is_of_run, sends.customer_key, sends.item_id, sends.as_of_date
),

-- As in purchase_features, among those who are written to on the day and had bought. Before the
-- rest is known, so that who reads some customers need not ask how all the others responded.
ranked as (
    select
        *,
        count(*) over (partition by is_of_run, as_of_date) as buyers,
        rank() over (partition by is_of_run, as_of_date order by recency_days) as recency_rank,
        rank() over (partition by is_of_run, as_of_date order by order_count) as frequency_rank,
        rank() over (partition by is_of_run, as_of_date order by net_amount) as monetary_rank
    from purchased
),

-- United, not joined: a filter on is_of_run reaches every part.
united as (
    select * from sends
    union all by name
    select * from contacted
    union all by name
    select * from ranked
),

summed as (
    select
        is_of_run,
        customer_key,
        item_id,
        as_of_date,
        {%- for column in [
            'email_sent_days', 'email_delivered_count', 'email_open_count', 'email_click_count',
            'email_click_count_90d', 'redemption_count', 'redemption_days', 'redemption_count_60d',
            'redemption_age_days', 'response_age_days', 'recency_days', 'order_count',
            'net_amount', 'order_count_30d', 'order_count_90d', 'line_count_90d', 'net_amount_90d',
            'discount_amount_90d', 'gross_amount_90d', 'coupon_order_count',
            'coupon_order_count_90d', 'buyers', 'recency_rank', 'frequency_rank', 'monetary_rank',
        ] %}
        max({{ column }}) as {{ column }},
        {%- endfor %}
        {{ dbt.bool_or('is_broad') }} as is_broad
    from united
    group by is_of_run, customer_key, item_id, as_of_date
),

final as (
    select
        customer_key,
        item_id,
        as_of_date,
        is_of_run,
        cast(
            case
                when recency_days is null then 0
                else
                    {{ integer_divide('(5 * (buyers - recency_rank) + buyers + 4)', 'buyers') }}
                    + {{ integer_divide('(5 * (frequency_rank - 1))', 'buyers') }} + 1
                    + {{ integer_divide('(5 * (monetary_rank - 1))', 'buyers') }} + 1
            end as double
        ) as rfm_score,
        cast(coalesce(recency_days, 3650) as double) as recency_days,
        cast(coalesce(redemption_count, 0) as double) as redemption_count_before,
        {{ flag_feature('order_count is null') }} as missing_purchases,
        {{ flag_feature('email_sent_days is null') }} as missing_email,
        {{ flag_feature('coalesce(redemption_count, 0) = 0') }} as missing_redemptions,
        {{ flag_feature('is_broad') }} as broad_audience,
        {{ rate_feature(
            'cast(email_open_count + 1 as double) / (email_delivered_count + 5)', '0.2'
        ) }} as email_open_rate,
        {{ rate_feature(
            'cast(email_click_count + 0.5 as double) / (email_delivered_count + 10)', '0.05'
        ) }} as email_click_rate,
        {{ log_feature('email_click_count', 1000) }} as log_email_click_count_all,
        {{ log_feature('email_click_count_90d', 1000) }} as log_email_click_count_90d,
        {{ log_feature('redemption_count', 1000) }} as log_redemption_count_all,
        {{ log_feature('redemption_count_60d', 1000) }} as log_redemption_count_60d,
        {{ log_feature('redemption_days', 1000) }} as log_redemption_days,
        {{ rate_feature('cast(redemption_days + 0.1 as double) / (email_sent_days + 1)') }}
            as redemption_rate,
        {{ ratio_feature('redemption_days', 'email_sent_days', 0.3) }} as log_redemption_rate,
        {{ rate_feature(
            'cast(redemption_days as double) / (email_sent_days + 1)'
            ~ ' * exp(-cast(redemption_age_days as double) / 60)'
        ) }} as redemption_decay_rate,
        {{ log_feature('coupon_order_count', 10000) }} as log_coupon_orders,
        {{ log_feature('coupon_order_count_90d', 10000) }} as log_coupon_orders_90d,
        {{ rate_feature('cast(coupon_order_count as double) / (order_count + 1)') }}
            as coupon_order_rate,
        {{ rate_feature('cast(coupon_order_count_90d as double) / (order_count_90d + 1)') }}
            as coupon_order_rate_90d,
        {{ log_feature('redemption_age_days', 365, '365') }} as log_redemption_age_days,
        {{ log_feature('response_age_days', 365, '365') }} as log_response_age_days,
        {{ log_feature('recency_days', 3650, '3650') }} as log_recency_days,
        {{ log_feature('order_count_30d', 10000) }} as log_order_count_30d,
        {{ log_feature('order_count_90d', 10000) }} as log_order_count_90d,
        {{ log_feature('net_amount_90d') }} as log_net_revenue_90d,
        {{ log_feature('line_count_90d / nullif(cast(order_count_90d as double), 0)') }}
            as log_lines_per_order_90d,
        {{ log_feature('cast(net_amount_90d as double) / nullif(order_count_90d, 0)') }}
            as log_order_value_90d,
        {{ log_feature('line_count_90d', 100000) }} as log_line_count_90d,
        {{ log_feature('discount_amount_90d') }} as log_discount_90d,
        {{ rate_feature('cast(discount_amount_90d as double) / nullif(gross_amount_90d, 0)') }}
            as discount_rate_90d
    from summed
)

select * from final
