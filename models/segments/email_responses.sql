-- Grain: customer who may be profiled and was ever sent an e-mail before today. Deliveries and
-- clicks are those of messages delivered within the days of the seed engagement_windows.
with customers as (
    select * from {{ ref('profiled_customers') }}
),

messages as (
    select
        customer_key,
        {{ local_date('delivered_at') }} as delivered_date,
        {{ local_date('clicked_at') }} as clicked_date
    from {{ ref('fct_messages') }}
    where channel = 'email' and sent_date < {{ as_of_date() }}
),

windows as (
    select max(days) as days from {{ ref('engagement_windows') }}
    where measure = 'email_click_rate'
),

counted as (
    select
        messages.customer_key,
        count(*) as sent_count,
        count(
            case
                when
                    messages.delivered_date >= {{ as_of_date() }} - windows.days
                    and messages.delivered_date < {{ as_of_date() }}
                    then 1
            end
        ) as delivered_count,
        count(
            case
                when
                    messages.delivered_date >= {{ as_of_date() }} - windows.days
                    and messages.delivered_date < {{ as_of_date() }}
                    and messages.clicked_date < {{ as_of_date() }}
                    then 1
            end
        ) as clicked_count
    from messages
    inner join customers on messages.customer_key = customers.customer_key
    cross join windows
    group by messages.customer_key
),

final as (
    select
        customer_key,
        sent_count,
        delivered_count,
        clicked_count,
        cast(
            cast(clicked_count as double) / nullif(delivered_count, 0) as decimal(9, 4)
        ) as email_click_rate
    from counted
)

select * from final
