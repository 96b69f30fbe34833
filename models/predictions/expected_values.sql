{{ config(materialized='view') }}
{%- set so_far %}
        over (
            partition by customer_key
            order by horizon_days asc nulls last
            rows between unbounded preceding and current row
        )
{%- endset %}

-- Grain: customer who may be profiled and horizon, today. What BG/NBD and Gamma-Gamma expect, or
-- its mean with what a boosting expects where one is published, and never less than of a shorter
-- horizon; null for who never bought. Ends of the interval move with the expectation.
with customers as (
    select
        *,
        purchased_before >= 1 as is_buyer,
        cast(round((age_days - recency_days) / 7) as integer) as recency_weeks,
        cast(round(age_days / 7) as integer) as age_weeks,
        greatest(mean_repeat_value, 0) as mean_value,
        case when costed_revenue_before > 0 then repeat_count + 1 else 0 end as costed_purchases,
        coalesce(
            least(greatest(margin_before / nullif(greatest(costed_revenue_before, 0), 0), -1), 1), 0
        ) as own_margin_rate
    from {{ ref('customer_features') }}
),

horizons as (
    select * from {{ ref('lifetime_value_horizons') }}
),

cells as (
    select * from {{ ref('lifetime_cells') }}
),

boosts as (
    select * from {{ ref('lifetime_boosts') }}
),

-- How much of what was sold has a known cost.
shops as (
    select
        cast(
            cast(sum({{ money('costed_revenue_before') }}) as double)
            / nullif(cast(sum({{ money('net_revenue_before') }}) as double), 0) as decimal(18, 6)
        ) as costed_rate
    from customers
),

joined as (
    select
        customers.customer_key,
        customers.as_of_date,
        customers.is_buyer,
        horizons.horizon_days,
        cells.model_version,
        cells.expected_purchases,
        cells.chance_alive,
        cells.days_to_next,
        cells.low_purchases,
        cells.high_purchases,
        cells.value_p,
        1 / greatest(cells.value_p * customers.repeat_count + cells.value_q - 2, 0.5)
            as own_variance,
        cells.value_p * (cells.value_v + customers.repeat_count * customers.mean_value)
        / (cells.value_p * customers.repeat_count + cells.value_q - 1) as purchase_value,
        exp(boosts.value_log) as boosted_amount,
        coalesce(shops.costed_rate, 0) >= horizons.minimum_costed_rate as is_margin_known,
        (
            customers.costed_purchases * customers.own_margin_rate
            + greatest(cells.margin_weight, 1e-9) * cells.margin_rate
        ) / (customers.costed_purchases + greatest(cells.margin_weight, 1e-9)) as margin_rate,
        coalesce(shops.costed_rate, 0) as costed_rate,
        horizons.minimum_costed_rate
    from customers
    cross join horizons
    cross join shops
    left join cells
        on
            customers.is_buyer
            and customers.repeat_count = cells.repeat_count
            and customers.recency_weeks = cells.recency_weeks
            and customers.age_weeks = cells.age_weeks
            and horizons.horizon_days = cells.horizon_days
    left join boosts
        on
            customers.customer_key = boosts.customer_key
            and horizons.horizon_days = boosts.horizon_days
),

expected as (
    select
        *,
        expected_purchases * purchase_value as first_amount,
        case
            when boosted_amount is null then expected_purchases * purchase_value
            else (expected_purchases * purchase_value + boosted_amount) / 2
        end as value_amount
    from joined
),

scaled as (
    select
        *,
        value_amount / greatest(first_amount, 1e-9) * purchase_value as scale
    from expected
),

amounts as (
    select
        *,
        {{ money('round(value_amount, 4)') }} as own_amount,
        {{ money(
            'round(low_purchases * scale'
            ~ ' * exp(-sqrt(1 / (value_p * greatest(low_purchases, 1)) + own_variance)), 4)'
        ) }} as own_low_amount,
        {{ money(
            'round(high_purchases * scale'
            ~ ' * exp(sqrt(1 / (value_p * greatest(high_purchases, 1)) + own_variance)), 4)'
        ) }} as own_high_amount
    from scaled
),

-- Where the horizons differ in whether a boosting is published, the shorter may expect more.
final as (
    select
        customer_key,
        as_of_date,
        horizon_days,
        is_buyer,
        model_version,
        expected_purchases,
        chance_alive,
        days_to_next,
        max(own_amount) {{ so_far }} as value_amount,
        max(own_low_amount) {{ so_far }} as low_amount,
        max(own_high_amount) {{ so_far }} as high_amount,
        case when is_margin_known then margin_rate end as margin_rate,
        case
            when not is_margin_known
                then
                    'costs are known for '
                    || cast(cast(floor(100 * costed_rate) as integer) as varchar)
                    || '% of net revenue; '
                    || cast(cast(ceil(100 * minimum_costed_rate) as integer) as varchar)
                    || '% are needed'
            when margin_rate is null then 'no cost was known when the model was trained'
        end as margin_unknown_reason
    from amounts
)

select * from final
