{{ config(materialized='view') }}

-- Grain: model that serves and feature ('' for its score). How far the people it speaks of today
-- are from those it was trained on, by shares of people per bin. The index is the smaller of two,
-- that against all of training and that against the people of the day of training: what growth or
-- season had moved by then is no drift.
with bins as (
    select
        *,
        count(*) over (partition by model_name, feature) as bin_count
    from {{ ref('drift_bins') }}
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
        feature,
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
