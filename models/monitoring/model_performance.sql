-- Grain: model, version and past day on which it served and whose window has ended. What was
-- predicted then, beside what happened. AUC and lift share a group of equal scores in proportion,
-- so that no order of rows counts.
with outcomes as (
    select
        *,
        cast(score as decimal(18, 9)) as chance,
        case when label > 0 then 1 else 0 end as positive
    from {{ ref('scored_outcomes') }}
),

training as (
    select
        model_name,
        model_version,
        avg(cast(metric_value as decimal(18, 9))) as training_auc
    from {{ ref('model_metrics') }}
    where metric = 'auc' and is_published
    group by model_name, model_version
),

by_score as (
    select
        model_name,
        model_version,
        as_of_date,
        chance,
        count(*) as row_count,
        sum(positive) as positive_count
    from outcomes
    group by model_name, model_version, as_of_date, chance
),

ranked as (
    select
        *,
        sum(row_count) over (partition by model_name, model_version, as_of_date) as day_count,
        coalesce(
            sum(row_count) over (
                partition by model_name, model_version, as_of_date order by chance desc nulls last
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as better_count,
        coalesce(
            sum(row_count - positive_count) over (
                partition by model_name, model_version, as_of_date order by chance asc nulls last
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as negatives_below
    from by_score
),

summed as (
    select
        model_name,
        model_version,
        as_of_date,
        sum(row_count) as row_count,
        sum(positive_count) as positive_count,
        sum(chance * row_count) as expected_count,
        sum(positive_count * (2 * negatives_below + row_count - positive_count)) as pairs_twice,
        sum(
            cast(
                positive_count * power(1 - cast(chance as double), 2)
                + (row_count - positive_count) * power(cast(chance as double), 2)
                as decimal(18, 9)
            )
        ) as squared_error,
        sum(
            cast(
                positive_count * least(
                    greatest((cast(day_count as double) / 10 - better_count) / row_count, 0), 1
                ) as decimal(18, 9)
            )
        ) as top_positives
    from ranked
    group by model_name, model_version, as_of_date
),

by_decile as (
    select
        model_name,
        model_version,
        as_of_date,
        abs(sum(chance - positive)) as difference
    from outcomes
    group by model_name, model_version, as_of_date, decile
),

differences as (
    select
        model_name,
        model_version,
        as_of_date,
        sum(difference) as difference
    from by_decile
    group by model_name, model_version, as_of_date
),

measured as (
    select
        summed.*,
        differences.difference,
        training.training_auc,
        summed.row_count - summed.positive_count as negative_count,
        cast(summed.positive_count as double) / summed.row_count as base_rate,
        cast(summed.pairs_twice as double)
        / nullif(2 * summed.positive_count * (summed.row_count - summed.positive_count), 0) as auc
    from summed
    inner join differences
        on
            summed.model_name = differences.model_name
            and summed.model_version = differences.model_version
            and summed.as_of_date = differences.as_of_date
    left join training
        on
            summed.model_name = training.model_name
            and summed.model_version = training.model_version
),

-- Hanley and McNeil 1982.
with_errors as (
    select
        *,
        sqrt(
            greatest(
                auc * (1 - auc)
                + (positive_count - 1) * (auc / (2 - auc) - auc * auc)
                + (negative_count - 1) * (2 * auc * auc / (1 + auc) - auc * auc),
                0
            ) / nullif(positive_count * negative_count, 0)
        ) as auc_error
    from measured
),

final as (
    select
        model_name,
        model_version,
        as_of_date,
        cast(row_count as bigint) as row_count,
        cast(positive_count as bigint) as positive_count,
        cast(base_rate as decimal(9, 6)) as base_rate,
        cast(cast(expected_count as double) / row_count as decimal(9, 6)) as mean_score,
        cast(auc as decimal(9, 6)) as auc,
        cast(
            case when auc is not null then greatest(auc - 1.96 * auc_error, 0) end as decimal(9, 6)
        ) as auc_low,
        cast(
            case when auc is not null then least(auc + 1.96 * auc_error, 1) end as decimal(9, 6)
        ) as auc_high,
        cast(training_auc as decimal(9, 6)) as training_auc,
        cast(cast(squared_error as double) / row_count as decimal(9, 6)) as brier,
        cast(cast(difference as double) / row_count as decimal(9, 6)) as calibration_error,
        cast(
            top_positives / nullif(cast(positive_count as double) / 10, 0) as decimal(18, 6)
        ) as lift_10
    from with_errors
)

select * from final
