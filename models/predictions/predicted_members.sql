-- Grain: customer and segment of the family prediction. High bands are those of
-- seeds/models/score_bands.csv; thresholds are in seeds/segments/segment_thresholds.csv.
with every_score as (
    select * from {{ ref('propensity_scores') }}
    union all
    select * from {{ ref('lapse_risk_scores') }}
),

scores as (
    select
        case model_name
            when 'buys_30d' then 'likely_to_buy'
            when 'lapses_30d' then 'likely_to_lapse'
            when 'soft_churn_30d' then 'likely_to_spend_less'
            when 'goes_silent' then 'likely_to_go_silent'
        end as segment_id,
        *
    from every_score
    where
        band = 'high'
        and model_name in ('buys_30d', 'lapses_30d', 'soft_churn_30d', 'goes_silent')
),

reasons as (
    select * from {{ ref('score_reasons') }}
),

lifetime_values as (
    select * from {{ ref('lifetime_values') }}
),

features as (
    select * from {{ ref('customer_features') }}
),

thresholds as (
    select
        {{ threshold('rising_value', 'growth') }} as growth,
        {{ threshold('rising_value', 'revenue') }} as revenue
    from {{ ref('segment_thresholds') }}
),

likely as (
    select
        scores.customer_key,
        scores.segment_id,
        'Probability ' || cast(cast(scores.score as decimal(6, 2)) as varchar)
        || coalesce('; ' || reasons.reason_1, '') as reason,
        {{ json_text([
            ['score', 'scores.score', false],
            ['decile', 'scores.decile', false],
            ['model_version', 'scores.model_version', true],
        ]) }} as figures,
        'Leaves when the probability falls below that of the likeliest tenth' as exit_rule
    from scores
    left join reasons
        on
            scores.model_name = reasons.model_name
            and scores.customer_key = reasons.customer_key
            and scores.item_id = reasons.item_id
),

high_value as (
    select
        customer_key,
        'high_value_ahead' as segment_id,
        'Expected value ' || cast(cast(predicted_value_amount as decimal(18, 2)) as varchar)
        || ' in a year' as reason,
        {{ json_text([
            ['predicted_value_amount', 'predicted_value_amount', false],
            ['horizon_days', 'horizon_days', false],
            ['model_version', 'model_version', true],
        ]) }} as figures,
        'Leaves when the expected value falls below that of the most valuable tenth' as exit_rule
    from lifetime_values
    where horizon_days = 365 and band = 'high'
),

rising as (
    select
        lifetime_values.customer_key,
        'rising_value' as segment_id,
        'Expected value '
        || cast(cast(lifetime_values.predicted_value_amount as decimal(18, 2)) as varchar)
        || ' in 90 days, after '
        || cast(cast(features.net_revenue_90d as decimal(18, 2)) as varchar) as reason,
        {{ json_text([
            ['predicted_value_amount', 'lifetime_values.predicted_value_amount', false],
            ['net_revenue_90d', 'cast(features.net_revenue_90d as decimal(18, 2))', false],
            ['model_version', 'lifetime_values.model_version', true],
        ]) }} as figures,
        'Leaves when the expected value is no longer that much higher' as exit_rule
    from lifetime_values
    inner join features on lifetime_values.customer_key = features.customer_key
    cross join thresholds
    where
        lifetime_values.horizon_days = 90
        and features.net_revenue_90d > 0
        and lifetime_values.predicted_value_amount >= thresholds.revenue
        and lifetime_values.predicted_value_amount
        >= thresholds.growth * cast(features.net_revenue_90d as decimal(18, 4))
),

members as (
    select * from likely
    union all
    select * from high_value
    union all
    select * from rising
),

final as (
    select
        customer_key,
        segment_id,
        reason,
        figures,
        exit_rule,
        cast(null as date) as ends_on
    from members
)

select * from final
