-- The checks before a build say more, and read the files of seeds; this holds on every engine.
{%- set askable, outputs = [], [] %}
{%- for grain, supported in target_support().items() %}
    {%- set parts, rules = ["grain = '" ~ grain ~ "'"], [] %}
    {%- for rule, kind in supported.rules.items() %}
        {%- do rules.append("label_rule = '" ~ rule ~ "' and kind = '" ~ kind ~ "'") %}
    {%- endfor %}
    {%- do parts.append('(' ~ rules | join(' or ') ~ ')') %}
    {%- for column in population_columns() if column not in supported.population %}
        {%- do parts.append(column ~ ' is null') %}
    {%- endfor %}
    {%- do askable.append('(' ~ parts | join(' and ') ~ ')') %}
{%- endfor %}
{%- for kind, allowed in outputs_of_kinds().items() %}
    {%- do outputs.append(
        "policies.model_kind = '" ~ kind ~ "' and policies.output in ('" ~ allowed | join("', '") ~ "')"
    ) %}
{%- endfor %}
with targets as (
    select * from {{ ref('model_targets') }}
),

policies as (
    select * from {{ ref('model_policies') }}
),

askable as (
    select target_id from targets
    where
        coalesce(min_purchased_before, 1) = 1
        and ({{ askable | join('\n            or ') }})
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
        or not ({{ outputs | join('\n            or ') }})
)

select * from final
