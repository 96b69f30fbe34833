-- The checks before a build say more, and read the files of DuckDB's landing; this is every engine's.
with targets as (
    select * from {{ ref('model_targets') }}
),

policies as (
    select * from {{ ref('model_policies') }}
),

askable as (
    select target_id from targets
    where
        {%- for grain, supported in target_support().items() %}
        (
            grain = '{{ grain }}' and (
                {%- for rule, kind in supported.rules.items() %}
                label_rule = '{{ rule }}' and kind = '{{ kind }}'
                {{ 'or' if not loop.last }}
                {%- endfor %}
            )
            {%- for column in population_columns() if column not in supported.population %}
            and {{ column }} is null
            {%- endfor %}
            and coalesce(min_purchased_before, 1) = 1
        )
        {{ 'or' if not loop.last }}
        {%- endfor %}
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
        or not (
            {%- for kind, outputs in outputs_of_kinds().items() %}
            policies.model_kind = '{{ kind }}'
            and policies.output in ('{{ outputs | join("', '") }}')
            {{ 'or' if not loop.last }}
            {%- endfor %}
        )
)

select * from final
