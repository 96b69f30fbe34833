-- Grain: customer who may be profiled. Scores are 0 to 100 and not additive. A channel in which we
-- cannot see the customer is null, never 0; the total counts the channels that are not null.
with customers as (
    select * from {{ ref('profiled_customers') }}
),

sources as (
    select * from {{ ref('engagement_sources') }}
    where is_observed
),

points as (
    select * from {{ ref('engagement_points') }}
),

responses as (
    select * from {{ ref('email_responses') }}
),

scales as (
    select * from {{ ref('engagement_scales') }}
),

tiers as (
    select
        tier,
        from_score,
        coalesce(lead(from_score) over (order by from_score), 101) as below_score
    from {{ ref('engagement_tiers') }}
),

-- Everybody can order and can call; by e-mail we see whom we wrote to, elsewhere whom we ever saw.
seen as (
    select
        customers.customer_key,
        sources.channel,
        coalesce(points.points, 0) as points,
        points.last_engaged_date
    from customers
    cross join sources
    left join points
        on customers.customer_key = points.customer_key and sources.channel = points.channel
    left join responses
        on customers.customer_key = responses.customer_key and sources.channel = 'email'
    where
        points.customer_key is not null
        or responses.customer_key is not null
        or sources.channel in ('service', 'shop')
),

with_totals as (
    select
        customer_key,
        channel,
        points
    from seen
    union all
    select
        customer_key,
        'total' as channel,
        sum(points) as points
    from seen
    group by customer_key
),

scored as (
    select
        with_totals.customer_key,
        with_totals.channel,
        with_totals.points,
        cast(
            100 * (1 - exp(-cast(with_totals.points as double) / cast(scales.scale as double)))
            as decimal(5, 2)
        ) as score
    from with_totals
    inner join scales on with_totals.channel = scales.channel
),

pivoted as (
    select
        customer_key,
        max(case when channel = 'total' then points end) as engagement_points,
        max(case when channel = 'total' then score end) as engagement_score,
        max(case when channel = 'email' then score end) as email_score,
        max(case when channel = 'web' then score end) as web_score,
        max(case when channel = 'social' then score end) as social_score,
        max(case when channel = 'service' then score end) as service_score,
        max(case when channel = 'shop' then score end) as shop_score
    from scored
    group by customer_key
),

final as (
    select
        customers.customer_key,
        cast(pivoted.engagement_points as decimal(18, 9)) as engagement_points,
        pivoted.engagement_score,
        tiers.tier as engagement_tier,
        pivoted.email_score,
        pivoted.web_score,
        pivoted.social_score,
        pivoted.service_score,
        pivoted.shop_score,
        responses.email_click_rate
    from customers
    left join pivoted on customers.customer_key = pivoted.customer_key
    left join tiers
        on
            pivoted.engagement_score >= tiers.from_score
            and pivoted.engagement_score < tiers.below_score
    left join responses on customers.customer_key = responses.customer_key
)

select * from final
