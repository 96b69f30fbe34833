{{ config(materialized='view') }}

-- Grain: model that serves and feature ('' for its score). How far the people it speaks of today
-- are from those it was trained on, by shares of people per bin. The index is the smallest of those
-- against all of training, against the people of the day of training, and against both of the last
-- fit that it was kept over: what growth or season had moved by then is no drift.
with bins as (
    select
        *,
        count(*) over (partition by model_name, fit_version, feature) as bin_count
    from {{ ref('drift_bins') }}
),

indices as (
    select
        model_name,
        model_version,
        fit_version,
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
    group by model_name, model_version, fit_version, feature
),

later as (
    select
        model_name,
        feature,
        least(training_index, coalesce(training_day_index, training_index)) as last_fit_index
    from indices
    where fit_version <> model_version
),

final as (
    select
        indices.model_name,
        indices.model_version,
        indices.feature,
        {{ as_of_date() }} as as_of_date,
        indices.row_count,
        indices.training_row_count,
        cast(indices.bin_count as integer) as bin_count,
        cast(indices.training_index as decimal(18, 6)) as training_index,
        cast(indices.training_day_index as decimal(18, 6)) as training_day_index,
        cast(later.last_fit_index as decimal(18, 6)) as last_fit_index,
        cast(
            least(
                indices.training_index,
                coalesce(indices.training_day_index, indices.training_index),
                coalesce(later.last_fit_index, indices.training_index)
            ) as decimal(18, 6)
        ) as stability_index
    from indices
    left join later
        on indices.model_name = later.model_name and indices.feature = later.feature
    where indices.fit_version = indices.model_version
)

select * from final
