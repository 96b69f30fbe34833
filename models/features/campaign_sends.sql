{{ config(materialized='view') }}

-- Grain: customer, campaign and day on which it was sent to them, as far as the recipient was known
-- before that day; and, of the run's day, customer and one campaign that is taken to be like the
-- last one. The last 730 days; flow messages are left out.
with messages as (
    select * from {{ ref('fct_dated_messages') }}
    where
        sent_date < {{ as_of_date() }}
        and sent_date >= {{ as_of_date() }} - 730
        and coalesce(known_date < sent_date, true)
),

-- A campaign is over on the first day on which it no longer runs: one that ends at noon runs on
-- that day, one that ends at midnight does not.
campaigns as (
    select
        campaign_key,
        cast(
            {{ local_date('ended_at') }} + case
                when {{ local_time('ended_at') }} > cast({{ local_date('ended_at') }} as timestamp)
                    then 1
                else 0
            end as date
        ) as ended_date
    from {{ ref('dim_campaigns') }}
    where campaign_type = 'campaign'
),

customers as (
    select * from {{ ref('profiled_customers') }}
),

rules as (
    select max(horizon_days) as horizon_days from {{ ref('model_targets') }}
    where label_rule = 'redeems'
),

mailed as (
    select distinct days.customer_key
    from {{ ref('contact_days') }} as days
    where
        days.is_of_run
        and days.email_sent_count > 0
        and days.activity_date < {{ as_of_date() }}
        and days.activity_date >= {{ as_of_date() }} - 730
),

sent as (
    select
        messages.dated_key as customer_key,
        messages.campaign_key,
        messages.sent_date,
        min(messages.clicked_date) as clicked_date,
        min(
            coalesce(campaigns.ended_date, messages.sent_date + rules.horizon_days)
        ) as ended_date
    from messages
    inner join campaigns on messages.campaign_key = campaigns.campaign_key
    inner join customers on messages.customer_key = customers.customer_key
    cross join rules
    group by messages.dated_key, messages.campaign_key, messages.sent_date
),

sizes as (
    select
        campaign_key,
        sent_date,
        count(*) as recipient_count,
        max(ended_date - sent_date) as duration_days
    from sent
    group by campaign_key, sent_date
),

-- Campaigns to everybody are not like those to a chosen few: at least half of the largest by then.
compared as (
    select
        campaign_key,
        sent_date,
        duration_days,
        2 * recipient_count >= max(recipient_count) over (
            order by sent_date range between unbounded preceding and current row
        ) as is_broad
    from sizes
),

last_campaigns as (
    select * from compared
    order by sent_date desc nulls last, campaign_key asc
    limit 1
),

final as (
    select
        false as is_of_run,
        sent.customer_key,
        sent.campaign_key as item_id,
        sent.sent_date as as_of_date,
        sent.clicked_date,
        cast(sent.ended_date as date) as ended_date,
        compared.is_broad
    from sent
    inner join compared
        on sent.campaign_key = compared.campaign_key and sent.sent_date = compared.sent_date
    union all
    select
        true as is_of_run,
        mailed.customer_key,
        'campaign' as item_id,
        {{ as_of_date() }} as as_of_date,
        cast(null as date) as clicked_date,
        cast({{ as_of_date() }} + cast(last_campaigns.duration_days as integer) as date)
            as ended_date,
        last_campaigns.is_broad
    from mailed
    cross join last_campaigns
)

select * from final
