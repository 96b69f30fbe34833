{{ config(materialized='view') }}

-- Grain: day at which features are taken: the run's, and the cutoffs of training. Whoever asks for
-- is_of_run alone does not pay for the others.
with cutoffs as (
    select distinct as_of_date from {{ ref('training_cutoffs') }}
),

final as (
    select
        {{ as_of_date() }} as as_of_date,
        true as is_of_run
    union all
    select
        as_of_date,
        false as is_of_run
    from cutoffs
)

select * from final
