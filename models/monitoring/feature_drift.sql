-- Grain: model that serves and feature. See drift_indices.
with indices as (
    select * from {{ ref('drift_indices') }}
    where feature <> ''
),

final as (
    select
        model_name,
        model_version,
        feature,
        as_of_date,
        row_count,
        training_row_count,
        bin_count,
        training_index,
        training_day_index,
        stability_index
    from indices
)

select * from final
