-- Grain: decision about a model. What the trainers said, in one place; their tables are the state.
with probabilities as (
    select * from {{ ref('propensity_fits') }}
),

values_to_come as (
    select * from {{ ref('lifetime_value_fits') }}
),

clusters as (
    select * from {{ ref('persona_fits') }}
),

final as (
    select * from probabilities
    union all
    select * from values_to_come
    union all
    select * from clusters
)

select * from final
