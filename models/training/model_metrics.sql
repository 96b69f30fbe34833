-- Grain: decision that trained a model, cutoff, candidate and metric. Out of time: a candidate was
-- fitted on what was known before the cutoff. Baselines stand beside what was published.
with fits as (
    select * from {{ ref('model_fits') }}
    where metrics is not null
),

final as (
    select
        fits.model_name,
        fits.decision_number,
        fits.model_version,
        fits.as_of_date,
        {{ json_field('parts', 'cutoff', 'date') }} as cutoff_date,
        {{ json_field('parts', 'candidate', 'varchar') }} as candidate,
        {{ json_field('parts', 'metric', 'varchar') }} as metric,
        {{ json_field('parts', 'value', 'double') }} as metric_value,
        {{ json_field('parts', 'is_published', 'boolean') }} as is_published
    from fits
    {{ json_elements('fits.metrics', none, 'parts') }}
)

select * from final
