-- Grain: channel of engagement. A channel is observed once its table has told of one event that
-- adds points, of anybody, before today: an ESP that only tells what it sent, and a table that is
-- switched off, say nothing of engagement.
with channels as (
    select channel from {{ ref('engagement_scales') }}
    where channel <> 'total'
),

days as (
    select
        channel,
        min(activity_date) as first_date
    from {{ ref('engagement_days') }}
    where effect = 'adds'
    group by channel
),

final as (
    select
        channels.channel,
        days.first_date is not null as is_observed,
        days.first_date,
        {{ as_of_date() }} - days.first_date as history_days
    from channels
    left join days on channels.channel = days.channel
)

select * from final
