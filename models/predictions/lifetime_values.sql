-- Grain: customer who may be profiled and horizon, today. Not additive over horizons: the longer
-- holds the shorter. Amounts are net revenue to come, and the margin in it, in base currency; what
-- was bought so far is not in them. People who never bought have a row without value.
with expected_values as (
    select * from {{ ref('expected_values') }}
),

limits as (
    select distinct
        horizon_days,
        {%- for number in range(2, 11) %}
        decile_{{ number }}_from,
        {%- endfor %}
        medium_from,
        high_from
    from {{ ref('lifetime_cells') }}
),

decisions as (
    select * from {{ ref('retraining_decisions') }}
    where model_name = 'lifetime_value' and is_last_decision
),

bounded as (
    select
        * exclude (low_amount, high_amount),
        case when value_amount is not null then least(low_amount, value_amount) end as low_amount,
        case when value_amount is not null then greatest(high_amount, value_amount) end
            as high_amount
    from expected_values
),

earned as (
    select
        *,
        {{ money('round(value_amount * margin_rate, 4)') }} as margin_amount,
        {{ money('round(low_amount * margin_rate, 4)') }} as low_margin_amount,
        {{ money('round(high_amount * margin_rate, 4)') }} as high_margin_amount
    from bounded
),

explained as (
    select
        earned.*,
        case
            when earned.value_amount is not null then null
            when not earned.is_buyer then 'no order yet'
            else coalesce(decisions.reason, 'there is no version of the model yet')
        end as unknown_reason
    from earned
    left join decisions on true
),

final as (
    select
        'lifetime_value' as model_name,
        explained.model_version,
        explained.customer_key,
        explained.as_of_date,
        explained.horizon_days,
        cast(explained.expected_purchases as decimal(18, 6)) as expected_purchases,
        cast(explained.chance_alive as decimal(7, 6)) as alive_rate,
        explained.as_of_date + cast(explained.days_to_next as integer) as expected_next_order_date,
        explained.value_amount as predicted_value_amount,
        explained.low_amount as predicted_value_low_amount,
        explained.high_amount as predicted_value_high_amount,
        explained.margin_amount as predicted_margin_amount,
        -- Where goods are sold below cost, more of them lose more.
        least(explained.low_margin_amount, explained.high_margin_amount)
            as predicted_margin_low_amount,
        greatest(explained.low_margin_amount, explained.high_margin_amount)
            as predicted_margin_high_amount,
        case
            {%- for number in range(10, 1, -1) %}
            when explained.value_amount >= limits.decile_{{ number }}_from then {{ number }}
            {%- endfor %}
            when explained.value_amount < limits.decile_2_from then 1
        end as decile,
        case
            when explained.value_amount is null then 'unknown'
            when explained.value_amount >= limits.high_from then 'high'
            when explained.value_amount >= limits.medium_from then 'medium'
            -- A version may be older than a horizon.
            when limits.medium_from is null then 'unknown'
            else 'low'
        end as band,
        explained.unknown_reason,
        case
            when explained.margin_amount is null
                then coalesce(explained.unknown_reason, explained.margin_unknown_reason)
        end as margin_unknown_reason
    from explained
    left join limits on explained.horizon_days = limits.horizon_days
)

select * from final
