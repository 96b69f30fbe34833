{#
    What the seeds of models and the vars about models must keep, so that nothing is asked that
    would be answered otherwise than it says.
#}

{#
    What can be asked at each grain.

    Returns: dict of grain to dict: `rules` (dict of label_rule to the kind that it needs) and
        `population` (list of str: columns of model_targets that count there).
#}
{% macro target_support() %}
    {{ return({
        'customer': {
            'rules': {
                'buys': 'binary', 'lapses': 'binary', 'spends_under_half': 'binary',
                'goes_silent': 'binary', 'spends': 'amount', 'earns': 'amount',
            },
            'population': lettershop.population_columns(),
        },
        'customer_category': {
            'rules': {'buys': 'binary'}, 'population': ['min_purchased_before'],
        },
        'customer_send': {
            'rules': {'clicks': 'binary', 'redeems': 'binary'}, 'population': [],
        },
    }) }}
{% endmacro %}

{#
    The columns of model_targets that say of whom a question is asked.

    Returns: list of str.
#}
{% macro population_columns() %}
    {{ return([
        'active_within_days', 'min_purchased_before', 'min_orders_90d', 'min_spend_90d',
        'min_email_responses_90d',
    ]) }}
{% endmacro %}

{#
    Where the predictions of each kind of model can go.

    Returns: dict of model_kind to list of str, outputs.
#}
{% macro outputs_of_kinds() %}
    {{ return({
        'probability': ['propensity', 'lapse_risk'],
        'lifetime_value': ['lifetime_value'],
        'clusters': ['personas'],
    }) }}
{% endmacro %}

{#
    Whether a question can be asked, over the columns of model_targets.

    Returns: str, a SQL condition.
#}
{% macro askable_condition() %}
    {%- set grains = [] -%}
    {%- for grain, supported in lettershop.target_support().items() -%}
        {%- set rules, parts = [], ["grain = '" ~ grain ~ "'"] -%}
        {%- for rule, kind in supported.rules.items() -%}
            {%- do rules.append("label_rule = '" ~ rule ~ "' and kind = '" ~ kind ~ "'") -%}
        {%- endfor -%}
        {%- do parts.append('(' ~ rules | join(' or ') ~ ')') -%}
        {%- for column in lettershop.population_columns() if column not in supported.population -%}
            {%- do parts.append(column ~ ' is null') -%}
        {%- endfor -%}
        {%- do grains.append(parts | join(' and ')) -%}
    {%- endfor -%}
    {{ return(
        '(' ~ grains | join(' or ') ~ ') and coalesce(min_purchased_before, 1) = 1'
    ) }}
{% endmacro %}

{#
    Whether the predictions of a model can go where they should, over the columns of
    model_policies.

    Returns: str, a SQL condition.
#}
{% macro output_condition() %}
    {%- set kinds = [] -%}
    {%- for kind, outputs in lettershop.outputs_of_kinds().items() -%}
        {%- do kinds.append(
            "model_kind = '" ~ kind ~ "' and output in ('" ~ outputs | join("', '") ~ "')"
        ) -%}
    {%- endfor -%}
    {{ return(kinds | join(' or ')) }}
{% endmacro %}

{#
    What is wrong with the seeds and the vars about models.

    Args:
        files (dict): see seed_files.
    Returns: list of str, a message each.
#}
{% macro model_problems(files) %}
    {%- set targets = lettershop.seed_rows(files, 'model_targets') -%}
    {%- set policies = lettershop.seed_rows(files, 'model_policies') -%}
    {%- set problems = [] -%}
    {%- if targets and policies and targets.is_read and policies.is_read -%}
        {%- do problems.extend(lettershop.target_problems(targets, policies)) -%}
        {%- do problems.extend(lettershop.policy_problems(policies, targets)) -%}
    {%- endif -%}
    {%- set names = policies.rows | map(attribute='model_name') | reject('none') | list
        if policies and policies.is_read else none -%}
    {{ return(problems + lettershop.model_var_problems(names)) }}
{% endmacro %}

{#
    Rules of seeds/models/model_targets.csv.

    Args:
        targets (dict), policies (dict): see seed_rows.
    Returns: list of str, a message each.
#}
{% macro target_problems(targets, policies) %}
    {%- set problems, support = [], lettershop.target_support() -%}
    {%- set asked = policies.rows | map(attribute='model_name') | list -%}
    {%- for row in targets.rows -%}
        {%- set where = lettershop.row_named(targets, row, row.target_id or '') -%}
        {%- if row.grain not in support -%}
            {%- do problems.append(where ~ 'grain is ' ~ lettershop.quoted(row.grain)
                ~ '. Allowed: ' ~ support | join(', ') ~ '.') -%}
        {%- elif row.label_rule not in support[row.grain].rules -%}
            {%- do problems.append(where ~ 'label_rule is ' ~ lettershop.quoted(row.label_rule)
                ~ '. At the grain ' ~ row.grain ~ ' can be asked: '
                ~ support[row.grain].rules | join(', ') ~ '.') -%}
        {%- elif row.kind != support[row.grain].rules[row.label_rule] -%}
            {%- do problems.append(where ~ 'kind is ' ~ lettershop.quoted(row.kind) ~ '. The rule '
                ~ row.label_rule ~ ' needs ' ~ support[row.grain].rules[row.label_rule] ~ '.') -%}
        {%- endif -%}
        {%- for column in lettershop.population_columns() if row[column] is not none -%}
            {%- if row.grain in support and column not in support[row.grain].population -%}
                {%- do problems.append(where ~ column ~ ' must be empty: at the grain ' ~ row.grain
                    ~ ' it would not count. What counts there: '
                    ~ (support[row.grain].population | join(', ') or 'nothing') ~ '.') -%}
            {%- elif column == 'min_purchased_before' and row[column] != '1' -%}
                {%- do problems.append(where ~ column ~ ' is ' ~ lettershop.quoted(row[column])
                    ~ '. Allowed: 1, or empty.') -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if row.kind == 'binary' and row.is_enabled | lower == 'true'
            and row.target_id not in asked -%}
            {%- do problems.append(where ~ 'no model answers it. Give it a row in '
                ~ policies.path ~ ', or set is_enabled to false.') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{% endmacro %}

{#
    Rules of seeds/models/model_policies.csv.

    Args:
        policies (dict), targets (dict): see seed_rows.
    Returns: list of str, a message each.
#}
{% macro policy_problems(policies, targets) %}
    {%- set problems, outputs, known = [], lettershop.outputs_of_kinds(), [] -%}
    {%- set questions = targets.rows | selectattr('kind', 'equalto', 'binary')
        | map(attribute='target_id') | list -%}
    {%- for row in policies.rows -%}
        {%- set where = lettershop.row_named(policies, row, row.model_name or '') -%}
        {%- if row.model_name in known -%}
            {%- do problems.append(where ~ 'the model stands in an earlier line too.') -%}
        {%- endif -%}
        {%- do known.append(row.model_name) -%}
        {%- if row.model_kind not in outputs -%}
            {%- do problems.append(where ~ 'model_kind is ' ~ lettershop.quoted(row.model_kind)
                ~ '. Allowed: ' ~ outputs | join(', ') ~ '.') -%}
        {%- else -%}
            {%- if row.output not in outputs[row.model_kind] -%}
                {%- do problems.append(where ~ 'output is ' ~ lettershop.quoted(row.output)
                    ~ '. Of the kind ' ~ row.model_kind ~ ' are allowed: '
                    ~ outputs[row.model_kind] | join(', ') ~ '.') -%}
            {%- endif -%}
            {%- if row.model_kind == 'probability' and row.model_name not in questions -%}
                {%- do problems.append(where ~ 'model_name must be the target_id of a row of the'
                    ~ ' kind binary in ' ~ targets.path ~ '. There are: '
                    ~ questions | join(', ') ~ '.') -%}
            {%- elif row.model_kind != 'probability'
                and row.model_name not in outputs[row.model_kind] -%}
                {%- do problems.append(where ~ 'a model of the kind ' ~ row.model_kind
                    ~ ' must be called ' ~ outputs[row.model_kind][0] ~ '.') -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{% endmacro %}

{#
    The vars retrain_models and rollback_models: what they name must be there.

    Args:
        names (list of str): of the models; none where they cannot be told.
    Returns: list of str, a message each.
#}
{% macro model_var_problems(names) %}
    {%- set problems = [] -%}
    {%- set asked, back = var('retrain_models'), var('rollback_models') -%}
    {%- set there = ' There are: ' ~ names | join(', ') ~ '.' if names else '' -%}
    {%- if asked is string or asked is mapping or asked is not iterable -%}
        {%- do problems.append('The var retrain_models is ' ~ lettershop.quoted(asked)
            ~ '. Allowed: a list of models, such as [lapses_30d], or [all].') -%}
    {%- else -%}
        {%- for name in asked if names is not none and name not in names + ['all'] -%}
            {%- do problems.append('The var retrain_models names ' ~ lettershop.quoted(name)
                ~ ', and there is no such model.' ~ there ~ ' [all] is every one.') -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if back is not mapping -%}
        {%- do problems.append('The var rollback_models is ' ~ lettershop.quoted(back)
            ~ '. Allowed: versions by model, such as {lapses_30d: 20180101-1a2b3c4d}.') -%}
        {{ return(problems) }}
    {%- endif -%}
    {%- set fits = lettershop.state_relation('training', 'model_fits') if back -%}
    {%- set promoted = run_query(
        "select model_name, model_version from " ~ fits ~ " where decision = 'promoted'"
        ~ ' order by model_name, decision_number'
    ).rows if fits else [] -%}
    {%- for name, version in back.items() -%}
        {%- set versions = [] -%}
        {%- for row in promoted if row[0] == name -%}{%- do versions.append(row[1]) -%}{%- endfor -%}
        {%- if names is not none and name not in names -%}
            {%- do problems.append('The var rollback_models names ' ~ lettershop.quoted(name)
                ~ ', and there is no such model.' ~ there) -%}
        {%- elif version not in versions -%}
            {%- do problems.append('The var rollback_models: ' ~ name ~ ' has no version '
                ~ lettershop.quoted(version) ~ ' that was promoted. There are: '
                ~ (versions | unique | join(', ') or 'none') ~ '.') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{% endmacro %}
