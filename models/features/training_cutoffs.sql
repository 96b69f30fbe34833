{{ config(materialized='view') }}

-- Grain: target and day at which its training looks back and forward. Only windows that ended by
-- the run's day. The var training_cutoffs (a list of days) replaces the days of the seed.
with targets as (
    select * from {{ ref('model_targets') }}
    where is_enabled and grain <> 'customer_send'
),

numbers as (
    {{ dbt.generate_series(60) }}
),

{%- if var('training_cutoffs') is none %}

dated as (
    select
        targets.target_id,
        targets.grain,
        targets.horizon_days,
        targets.cutoff_count,
        {{ as_of_date() }} - cast(numbers.generated_number * targets.cutoff_every_days as integer)
            as as_of_date
    from targets
    cross join numbers
),
{%- else %}

days as (
    {%- for day in var('training_cutoffs') %}
    select date '{{ day }}' as as_of_date
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

dated as (
    select
        targets.target_id,
        targets.grain,
        targets.horizon_days,
        1000 as cutoff_count,
        days.as_of_date
    from targets
    cross join days
),
{%- endif %}

numbered as (
    select
        *,
        row_number() over (
            partition by target_id order by as_of_date desc nulls last
        ) as cutoff_number
    from dated
    where as_of_date + horizon_days <= {{ as_of_date() }}
),

final as (
    select
        target_id,
        grain,
        cast(as_of_date as date) as as_of_date,
        cast(as_of_date + horizon_days as date) as label_window_end,
        cast(cutoff_number as integer) as cutoff_number
    from numbered
    where cutoff_number <= cutoff_count
)

select * from final
