-- Grain: model that is switched on. What this run asks of its trainer: the day, the policy, the
-- target, and what the vars retrain_models and rollback_models say.
{#- Whatever else is passed, the checks before a build refuse it. #}
{%- set asked, back = var('retrain_models'), var('rollback_models') %}
{%- set forced = [''] + (asked if asked is sequence and asked is not mapping and asked is not string
    else []) %}
with policies as (
    select * from {{ ref('model_policies') }}
),

targets as (
    select * from {{ ref('model_targets') }}
),

rollbacks as (
    {%- for name, version in (back.items() if back is mapping else []) %}
    select
        '{{ name }}' as model_name,
        '{{ version }}' as model_version
    union all
    {%- endfor %}
    select
        cast(null as varchar) as model_name,
        cast(null as varchar) as model_version
),

final as (
    select
        policies.model_name,
        policies.model_kind,
        policies.output,
        {{ as_of_date() }} as as_of_date,
        policies.model_name in ('{{ forced | join("', '") }}')
        or {{ 'all' in forced }} as is_forced,
        rollbacks.model_version as rollback_version,
        policies.minimum_age_days,
        policies.maximum_age_days,
        policies.drift_limit,
        policies.metric_floor_rate,
        policies.minimum_customers,
        policies.minimum_rows,
        policies.minimum_of_each_class,
        policies.test_cutoffs,
        policies.maximum_rows,
        policies.operating_rate,
        targets.grain as target_grain,
        targets.horizon_days as target_horizon_days,
        targets.label_rule as target_label_rule,
        targets.active_within_days as target_active_within_days,
        targets.min_purchased_before as target_min_purchased_before,
        targets.min_orders_90d as target_min_orders_90d,
        cast(targets.min_spend_90d as decimal(18, 4)) as target_min_spend_90d,
        targets.min_email_responses_90d as target_min_email_responses_90d
    from policies
    left join rollbacks on policies.model_name = rollbacks.model_name
    left join targets on policies.model_name = targets.target_id
    where policies.model_kind <> 'probability' or targets.is_enabled
)

select * from final
