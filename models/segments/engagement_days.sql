{{ config(materialized='view') }}

-- Grain: customer who may be profiled, day before today, and type of event in the seed
-- engagement_weights. Visits of people who said no to tracking are left out.
{%- set event_types = [
    'email_open', 'email_click', 'email_unsubscribe', 'email_complaint', 'session', 'page_view',
    'product_view', 'search', 'cart_add', 'checkout', 'social_interaction', 'service_interaction',
    'order', 'coupon_redemption',
] %}
with days as (
    select * from {{ ref('fct_customer_days') }}
    where activity_date < {{ as_of_date() }}
),

customers as (
    select * from {{ ref('profiled_customers') }}
),

trackable as (
    select * from {{ ref('trackable_customers') }}
),

weights as (
    select * from {{ ref('engagement_weights') }}
),

counted as (
    select
        days.customer_key,
        days.activity_date,
        weights.event_type,
        weights.channel,
        weights.effect,
        weights.weight,
        weights.daily_cap,
        weights.half_life_days,
        trackable.customer_key is not null as is_trackable,
        case weights.event_type
            {%- for event_type in event_types %}
            when '{{ event_type }}' then days.{{ event_type }}_count
            {%- endfor %}
        end as event_count
    from days
    inner join customers on days.customer_key = customers.customer_key
    left join trackable on days.customer_key = trackable.customer_key
    cross join weights
),

final as (
    select
        customer_key,
        activity_date,
        event_type,
        channel,
        effect,
        event_count,
        {{ as_of_date() }} - activity_date as age_days,
        cast(
            case
                when effect = 'resets' then 0
                else
                    weight * least(event_count, daily_cap)
                    * power(
                        0.5,
                        cast({{ as_of_date() }} - activity_date as double) / half_life_days
                    )
            end as decimal(18, 9)
        ) as points
    from counted
    where event_count > 0 and (channel <> 'web' or is_trackable)
)

select * from final
