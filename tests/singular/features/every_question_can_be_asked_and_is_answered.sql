-- The checks before a build say more, and read the files of seeds; this holds on every engine.
with targets as (
    select * from {{ ref('model_targets') }}
),

policies as (
    select * from {{ ref('model_policies') }}
),

askable as (
    select target_id from targets
    where {{ askable_condition() }}
),

final as (
    select targets.target_id as row_name
    from targets
    left join askable on targets.target_id = askable.target_id
    left join policies on targets.target_id = policies.model_name
    where
        askable.target_id is null
        or targets.kind = 'binary' and targets.is_enabled and policies.model_name is null
    union all
    select policies.model_name as row_name
    from policies
    left join targets on policies.model_name = targets.target_id and targets.kind = 'binary'
    where
        policies.model_kind = 'probability' and targets.target_id is null
        or policies.model_kind <> 'probability' and policies.model_name <> policies.output
        or not ({{ output_condition() }})
)

select * from final
