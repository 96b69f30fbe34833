-- Grain: model, version, past day and band: what became of those whom a model called likely or at
-- risk. Bands that make a segment of the family prediction name it.
with outcomes as (
    select * from {{ ref('scored_outcomes') }}
),

counted as (
    select
        model_name,
        model_version,
        as_of_date,
        band,
        count(*) as row_count,
        sum(case when label > 0 then 1 else 0 end) as happened_count,
        sum(cast(score as decimal(18, 9))) as expected_count
    from outcomes
    group by model_name, model_version, as_of_date, band
),

compared as (
    select
        *,
        cast(happened_count as double) / row_count as happened_rate,
        sum(happened_count) over (partition by model_name, model_version, as_of_date)
        / cast(sum(row_count) over (partition by model_name, model_version, as_of_date) as double)
            as base_rate
    from counted
),

final as (
    select
        model_name,
        model_version,
        as_of_date,
        band,
        case
            when band <> 'high' then null
            when model_name = 'buys_30d' then 'likely_to_buy'
            when model_name = 'lapses_30d' then 'likely_to_lapse'
            when model_name = 'soft_churn_30d' then 'likely_to_spend_less'
            when model_name = 'goes_silent' then 'likely_to_go_silent'
        end as segment_id,
        cast(row_count as bigint) as row_count,
        cast(happened_count as bigint) as happened_count,
        cast(cast(expected_count as double) / row_count as decimal(9, 6)) as expected_rate,
        cast(happened_rate as decimal(9, 6)) as happened_rate,
        cast({{ wilson_bound('happened_rate', 'row_count', '-') }} as decimal(9, 6))
            as happened_low_rate,
        cast({{ wilson_bound('happened_rate', 'row_count', '+') }} as decimal(9, 6))
            as happened_high_rate,
        cast(base_rate as decimal(9, 6)) as base_rate,
        cast(happened_rate / nullif(base_rate, 0) as decimal(18, 6)) as lift
    from compared
)

select * from final
