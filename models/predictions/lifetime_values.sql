-- Grain: customer who may be profiled and horizon, today. Not additive over horizons: the longer
-- holds the shorter. Amounts are net revenue to come, in base currency; what was bought so far is
-- not in them. People who never bought have a row without value.
with customers as (
    select
        customer_key,
        as_of_date,
        purchased_before >= 1 as is_buyer,
        repeat_count,
        cast(round((age_days - recency_days) / 7) as integer) as recency_weeks,
        cast(round(age_days / 7) as integer) as age_weeks,
        greatest(mean_repeat_value, 0) as mean_value
    from {{ ref('customer_features') }}
),

horizons as (
    select * from {{ ref('lifetime_value_horizons') }}
),

cells as (
    select * from {{ ref('lifetime_cells') }}
),

decisions as (
    select * from {{ ref('retraining_decisions') }}
    where model_name = 'lifetime_value' and is_last_decision
),

valued as (
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
        {%- for number in range(2, 11) %}
        cells.decile_{{ number }}_from,
        {%- endfor %}
        cells.medium_from,
        cells.high_from,
        cells.value_p,
        1 / greatest(cells.value_p * customers.repeat_count + cells.value_q - 2, 0.5)
            as own_variance,
        cells.value_p * (cells.value_v + customers.repeat_count * customers.mean_value)
        / (cells.value_p * customers.repeat_count + cells.value_q - 1) as purchase_value
    from customers
    cross join horizons
    left join cells
        on
            customers.is_buyer
            and customers.repeat_count = cells.repeat_count
            and customers.recency_weeks = cells.recency_weeks
            and customers.age_weeks = cells.age_weeks
            and horizons.horizon_days = cells.horizon_days
),

amounts as (
    select
        *,
        cast(round(expected_purchases * purchase_value, 4) as decimal(18, 4)) as value_amount,
        cast(
            round(
                low_purchases * purchase_value
                * exp(-sqrt(1 / (value_p * greatest(low_purchases, 1)) + own_variance)),
                4
            ) as decimal(18, 4)
        ) as low_amount,
        cast(
            round(
                high_purchases * purchase_value
                * exp(sqrt(1 / (value_p * greatest(high_purchases, 1)) + own_variance)),
                4
            ) as decimal(18, 4)
        ) as high_amount
    from valued
),

final as (
    select
        'lifetime_value' as model_name,
        amounts.model_version,
        amounts.customer_key,
        amounts.as_of_date,
        amounts.horizon_days,
        cast(amounts.expected_purchases as decimal(18, 6)) as expected_purchases,
        cast(amounts.chance_alive as decimal(7, 6)) as alive_rate,
        amounts.as_of_date + amounts.days_to_next as expected_next_order_date,
        amounts.value_amount as predicted_value_amount,
        least(amounts.low_amount, amounts.value_amount) as predicted_value_low_amount,
        greatest(amounts.high_amount, amounts.value_amount) as predicted_value_high_amount,
        case
            {%- for number in range(10, 1, -1) %}
            when amounts.value_amount >= amounts.decile_{{ number }}_from then {{ number }}
            {%- endfor %}
            when amounts.value_amount is not null then 1
        end as decile,
        case
            when amounts.value_amount is null then 'unknown'
            when amounts.value_amount >= amounts.high_from then 'high'
            when amounts.value_amount >= amounts.medium_from then 'medium'
            else 'low'
        end as band,
        case
            when amounts.value_amount is not null then null
            when not amounts.is_buyer then 'no order yet'
            else coalesce(decisions.reason, 'there is no version of the model yet')
        end as unknown_reason
    from amounts
    left join decisions on true
)

select * from final
