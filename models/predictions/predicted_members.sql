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
        {{ threshold('rising_value', 'revenue') }} as revenue,
        {{ threshold('rising_value', 'days') }} as days,
        {{ threshold('rising_value', 'alive_rate') }} as alive_rate,
        {{ threshold('rising_value', 'lapse_decile') }} as lapse_decile
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

-- Whoever is known for less than a year has the pace since the first order, of 90 days at least.
paces as (
    select
        purchase_days.customer_key,
        {{ money(
            'cast(sum(purchase_days.net_amount) as double) * 90'
            ~ ' / greatest(least(max(features.age_days), 365), 90)'
        ) }} as usual_amount
    from {{ ref('purchase_days') }} as purchase_days
    inner join features on purchase_days.customer_key = features.customer_key
    where
        purchase_days.is_of_run = true
        and purchase_days.order_date >= {{ as_of_date() }} - 365
        and purchase_days.known_date < {{ as_of_date() }}
        and purchase_days.gone_date >= {{ as_of_date() }}
    group by purchase_days.customer_key
),

-- Nobody's value rises of whom another segment, or the threshold, says that they may stop.
may_stop as (
    select customer_key from likely
    where segment_id in ('likely_to_lapse', 'likely_to_spend_less')
    union all
    select scores.customer_key
    from {{ ref('lapse_risk_scores') }} as scores
    cross join thresholds
    where
        scores.model_name in ('lapses_30d', 'soft_churn_30d')
        and scores.decile > thresholds.lapse_decile
),

rising as (
    select
        lifetime_values.customer_key,
        'rising_value' as segment_id,
        'Expected value '
        || cast(cast(lifetime_values.predicted_value_amount as decimal(18, 2)) as varchar)
        || ' in 90 days, usually '
        || cast(cast(paces.usual_amount as decimal(18, 2)) as varchar) as reason,
        {{ json_text([
            ['predicted_value_amount', 'lifetime_values.predicted_value_amount', false],
            ['usual_amount', 'cast(paces.usual_amount as decimal(18, 2))', false],
            ['model_version', 'lifetime_values.model_version', true],
        ]) }} as figures,
        'Leaves when the expected value is no longer that much higher, or a lapse is likely'
            as exit_rule
    from lifetime_values
    inner join features on lifetime_values.customer_key = features.customer_key
    inner join paces on lifetime_values.customer_key = paces.customer_key
    left join may_stop on lifetime_values.customer_key = may_stop.customer_key
    cross join thresholds
    where
        lifetime_values.horizon_days = 90
        and features.recency_days <= thresholds.days
        and lifetime_values.alive_rate >= thresholds.alive_rate
        and paces.usual_amount > 0
        and lifetime_values.predicted_value_amount >= thresholds.revenue
        and lifetime_values.predicted_value_amount >= thresholds.growth * paces.usual_amount
        and may_stop.customer_key is null
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
