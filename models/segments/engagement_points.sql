-- Grain: customer and channel in which the customer ever did something that counts. Points are a
-- sum over days before today: weight x 0.5^(age / half-life), with a daily cap per type of event.
-- What lies on or before the last unsubscribe or complaint adds nothing any more.
with days as (
    select * from {{ ref('engagement_days') }}
),

resets as (
    select
        customer_key,
        channel,
        max(activity_date) as reset_date
    from days
    where effect = 'resets'
    group by customer_key, channel
),

final as (
    select
        days.customer_key,
        days.channel,
        cast(sum(days.event_count) as bigint) as event_count,
        cast(
            sum(
                case
                    when days.activity_date > resets.reset_date or resets.reset_date is null
                        then days.points
                    else 0
                end
            ) as decimal(18, 9)
        ) as points,
        max(days.activity_date) as last_engaged_date
    from days
    left join resets
        on days.customer_key = resets.customer_key and days.channel = resets.channel
    where days.effect = 'adds'
    group by days.customer_key, days.channel
)

select * from final
