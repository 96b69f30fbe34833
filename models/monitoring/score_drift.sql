-- Grain: model that serves. How far today's scores are from those of the sample that it was trained
-- on: logits, the value of the longest horizon in tenths, shares of personas. The index is that of
-- feature_drift.
with bins as (
    select
        *,
        count(*) over (partition by model_name, feature) as bin_count
    from {{ ref('drift_bins') }}
    where feature = ''
),

indices as (
    select
        model_name,
        model_version,
        feature,
        max(row_count) as row_count,
        max(training_row_count) as training_row_count,
        max(bin_count) as bin_count,
        sum({{ stability_part(
            'expected_rate', 'training_row_count', 'actual_rate', 'row_count', 'bin_count'
        ) }}) as training_index,
        sum({{ stability_part(
            'day_rate', 'day_row_count', 'actual_rate', 'row_count', 'bin_count'
        ) }}) as training_day_index
    from bins
    group by model_name, model_version, feature
),

final as (
    select
        model_name,
        model_version,
        {{ as_of_date() }} as as_of_date,
        row_count,
        training_row_count,
        cast(bin_count as integer) as bin_count,
        cast(training_index as decimal(18, 6)) as training_index,
        cast(training_day_index as decimal(18, 6)) as training_day_index,
        cast(
            least(training_index, coalesce(training_day_index, training_index)) as decimal(18, 6)
        ) as stability_index
    from indices
)

select * from final
