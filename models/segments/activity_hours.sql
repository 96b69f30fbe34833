-- Grain: customer who may be profiled, kind of evidence (order, visit, message opened, message
-- clicked), channel of the message, and the customer's own hour and day of the week, within the
-- days of the seed preference_evidence. Where the customer's time zone is not known it is the
-- shop's.
with customers as (
    select
        profiled.customer_key,
        trackable.customer_key is not null as is_trackable,
        coalesce(customers.timezone, '{{ var("shop_timezone") }}') as timezone
    from {{ ref('profiled_customers') }} as profiled
    inner join {{ ref('dim_customers') }} as customers
        on profiled.customer_key = customers.customer_key
    left join {{ ref('trackable_customers') }} as trackable
        on profiled.customer_key = trackable.customer_key
),

rules as (
    select * from {{ ref('preference_evidence') }}
),

messages as (
    select * from {{ ref('fct_messages') }}
),

pieces as (
    select
        customer_key,
        'order' as evidence,
        'none' as channel,
        ordered_at as happened_at
    from {{ ref('fct_orders') }}
    where is_valid
    union all
    select
        customer_key,
        'visit' as evidence,
        'none' as channel,
        started_at as happened_at
    from {{ ref('fct_web_sessions') }}
    union all
    select
        customer_key,
        'message_open' as evidence,
        channel,
        opened_at as happened_at
    from messages
    union all
    select
        customer_key,
        'message_click' as evidence,
        channel,
        clicked_at as happened_at
    from messages
),

dated as (
    select
        pieces.customer_key,
        pieces.evidence,
        pieces.channel,
        {{ local_date('pieces.happened_at') }} as evidence_date,
        {{ local_time_in('pieces.happened_at', 'customers.timezone') }} as own_time
    from pieces
    inner join customers on pieces.customer_key = customers.customer_key
    where pieces.happened_at is not null and (pieces.evidence <> 'visit' or customers.is_trackable)
),

final as (
    select
        dated.customer_key,
        dated.evidence,
        dated.channel,
        cast(extract(hour from dated.own_time) as integer) as local_hour,
        cast({{ iso_day_of_week('cast(dated.own_time as date)') }} as integer) as local_weekday,
        count(*) as evidence_count
    from dated
    inner join rules on dated.evidence = rules.evidence
    where
        dated.evidence_date < {{ as_of_date() }}
        and dated.evidence_date >= {{ as_of_date() }} - rules.days
    group by all
)

select * from final
