-- Grain: model that serves. How far today's scores are from those of training: logits, the value of
-- the longest horizon in tenths, shares of personas. See drift_indices.
with indices as (
    select * from {{ ref('drift_indices') }}
    where feature = ''
),

final as (
    select
        model_name,
        model_version,
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
