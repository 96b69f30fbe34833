{#
    Stops a run before anything is built, with one message that says all that is wrong, where, and
    what to do. Runs as on-run-start.

    Errors: the problems of preflight_problems, or what _clock says of a clock that is no time.
#}
{% macro preflight() %}
    {%- if execute and flags.WHICH in ['build', 'run', 'seed', 'snapshot', 'test', 'retry'] -%}
        {%- set clock = lettershop._clock() -%}
        {%- set problems = lettershop.preflight_problems(lettershop.run_settings(), clock) -%}
        {%- if problems -%}
            {%- set lines = ['Nothing was built.'] -%}
            {%- for problem in problems -%}
                {%- do lines.append('\n' ~ loop.index ~ '. ' ~ problem | indent(3)) -%}
            {%- endfor -%}
            {%- do exceptions.raise_compiler_error(lines | join('\n')) -%}
        {%- endif -%}
        {%- if var('using_erasure_requests') and not env_var('LETTERSHOP_ERASURE_KEY', '') -%}
            {%- do log(
                'LETTERSHOP_ERASURE_KEY is not set: erased people are remembered by hashes that'
                ~ ' anybody can make. Set a secret of your own before the first build, and keep it.',
                info=true
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#
    What would stop this run. Without a landing, or without the landing's vars, everything else
    would only be a consequence: those two come alone.

    Args:
        settings (dict): see run_settings.
        clock (datetime): naive, UTC.
    Returns: list of str, a message each.
#}
{% macro preflight_problems(settings, clock) %}
    {#- The landing's rules read parquet; elsewhere a missing table or column is the engine's own
        message. -#}
    {%- set problems = [] -%}
    {%- if target.type == 'duckdb' -%}
        {%- set files = lettershop.landing_files() -%}
        {%- set problems = lettershop.folder_problems(files) or lettershop.vars_problems(files) -%}
        {%- if not problems -%}
            {%- set tables = lettershop.inspect_landing(files, settings) -%}
            {%- set problems = lettershop.landing_problems(tables, files, clock) -%}
        {%- endif -%}
    {%- else -%}
        {%- set problems = lettershop.unsaid_vars_problems(lettershop.passed_vars(), settings)
            + lettershop.session_problems(
                lettershop.session_settings(), lettershop.session_parameters()
            ) -%}
    {%- endif -%}
    {{ return(
        lettershop.setting_problems(settings) + lettershop.own_problems() + problems
        + lettershop.state_problems(clock) + lettershop.key_problems()
    ) }}
{% endmacro %}

{#
    The values of the vars that have rules. Where `instead` names one, its value counts.

    Args:
        instead (dict): var to value.
    Returns: dict of var to value.
#}
{% macro run_settings(instead={}) %}
    {%- set names = [
        'as_of_at', 'shop_timezone', 'base_currency', 'profiling_basis', 'rfm_window_days',
        'lifecycle_days', 'max_rejected_rate', 'max_unexplained_rate', 'accept_landing_changes',
        'minimum_age', 'esp', 'sync_scope', 'approve_esp_changes', 'trigger_target_lag',
    ] -%}
    {%- for contract in lettershop.landing_contracts() if not contract.config.meta.is_required -%}
        {%- do names.append('using_' ~ contract.name) -%}
    {%- endfor -%}
    {%- set settings = {} -%}
    {%- for name in names -%}
        {%- do settings.update({name: instead[name] if name in instead else var(name)}) -%}
    {%- endfor -%}
    {{ return(settings) }}
{% endmacro %}

{#
    Vars whose value is not one that the project knows.

    Args:
        settings (dict): see run_settings.
    Returns: list of str, a message each.
#}
{% macro setting_problems(settings) %}
    {%- set zone = settings.shop_timezone -%}
    {%- set days = settings.rfm_window_days -%}
    {%- set age = settings.minimum_age -%}
    {%- set approved = settings.approve_esp_changes -%}
    {%- set lag = settings.trigger_target_lag -%}
    {%- set rules = [
        ['shop_timezone', zone in modules.pytz.all_timezones_set,
            "an IANA name such as 'Europe/Berlin', 'America/New_York' or 'UTC'"],
        ['base_currency', modules.re.match('^[A-Z]{3}$', settings.base_currency | string),
            "three capital letters of ISO 4217, such as 'USD'"],
        ['profiling_basis', settings.profiling_basis in [none, 'legitimate_interest'],
            "'legitimate_interest', which the shop declares, or null: build, but send nothing"],
        ['minimum_age', age is none or (age is integer and 0 < age <= 120),
            'a whole number of years from 1 to 120, or null: no limit'],
        ['rfm_window_days', days is none or (days is integer and days > 0),
            'a whole number of days above 0, or null: all history'],
        ['lifecycle_days', settings.lifecycle_days in ['fixed', 'rhythm'],
            "'fixed' or 'rhythm'"],
        ['esp', settings.esp in ['klaviyo', 'braze', 'customerio', 'generic'],
            "'klaviyo', 'braze', 'customerio' or 'generic'"],
        ['sync_scope', settings.sync_scope in ['existing_contacts', 'all'],
            "'existing_contacts' or 'all'"],
        ['approve_esp_changes', approved is none or (approved is integer and approved >= 0),
            'the number that the guard of esp_outbox named, or null'],
        ['accept_landing_changes', settings.accept_landing_changes is boolean, 'true or false'],
        ['trigger_target_lag', lag is none or (
            settings.as_of_at is none
            and modules.re.match('^[1-9][0-9]* (minute|hour|day)s?$', lag | string)
        ), "null, or on Snowflake a time such as '5 minutes'; the clock is now, so that as_of_at is left out"],
    ] -%}
    {%- for name in ['max_rejected_rate', 'max_unexplained_rate'] -%}
        {%- set rate = settings[name] -%}
        {%- do rules.append([
            name, rate is number and rate is not boolean and 0 <= rate <= 1,
            'a number from 0 to 1, such as 0.01',
        ]) -%}
    {%- endfor -%}
    {%- for name, value in settings.items() if name.startswith('using_') -%}
        {%- do rules.append([name, value is boolean, 'true or false']) -%}
    {%- endfor -%}
    {%- set problems = [] -%}
    {%- for name, is_known, allowed in rules if not is_known -%}
        {%- do problems.append(
            'The var ' ~ name ~ ' is ' ~ lettershop.quoted(settings[name])
            ~ '. Allowed: ' ~ allowed ~ '.'
        ) -%}
    {%- endfor -%}
    {#- A shop's own project may have vars of its own. -#}
    {%- set others = [
        'custom_segment_models', 'training_cutoffs', 'retrain_models', 'rollback_models'
    ] if project_name == 'lettershop' -%}
    {%- for name in lettershop.passed_vars() if name not in settings -%}
        {%- if name.startswith('using_') -%}
            {%- do problems.append(
                'The var ' ~ name ~ ' switches nothing: there is no optional landing table '
                ~ name[6:] ~ '. `make check` names them all.'
            ) -%}
        {%- elif others and name not in others -%}
            {%- set alike = [] -%}
            {%- for known in (settings.keys() | list) + others if known[:4] == name[:4] -%}
                {%- do alike.append(known) -%}
            {%- endfor -%}
            {%- do problems.append(
                'There is no var ' ~ name ~ '. '
                ~ ('Meant may be: ' ~ alike | join(', ') ~ '.' if alike
                    else 'dbt_project.yml lists them all.')
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{% endmacro %}

{#
    State that was built up to a later time than this run's clock: state only goes forward.

    Args:
        clock (datetime): naive, UTC.
    Returns: list of str, at most one message.
#}
{% macro state_problems(clock) %}
    {%- set clocks = [] -%}
    {%- for schema, name, column in [
        ['monitoring', 'build_runs', 'as_of_at'],
        ['activation', 'trigger_log', 'fired_at'],
        ['marts', 'product_prices', 'seen_at'],
        ['activation', 'esp_outbox', lettershop.time_of_iso_text('changed_at')],
    ] -%}
        {%- set relation = lettershop.state_relation(schema, name) -%}
        {%- if relation -%}
            {%- do clocks.append('select max(' ~ column ~ ') as clock from ' ~ relation) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set spells = lettershop.state_relation('marts', 'segment_spells') -%}
    {%- set built_up_to = none -%}
    {%- if clocks -%}
        {%- set built_up_to = run_query(
            'select max(clock) from (' ~ clocks | join(' union all ') ~ ') as clocks'
        ).rows[0][0] -%}
    {%- endif -%}
    {%- set is_later = built_up_to is not none and built_up_to > clock -%}
    {#- A build that fails half-way has moved people between segments, and left no record. -#}
    {%- set zone = var('shop_timezone') -%}
    {%- set days = [] -%}
    {%- if spells -%}
        {%- do days.append(
            'select cast(max(greatest(entered_date, coalesce(left_date, entered_date))) as date)'
            ~ ' as day from ' ~ spells
        ) -%}
    {%- endif -%}
    {#- So do the selectors of models: they train and score, and record no build. -#}
    {%- set fits = lettershop.state_relation('training', 'model_fits') -%}
    {%- if fits -%}{%- do days.append('select max(as_of_date) as day from ' ~ fits) -%}{%- endif -%}
    {%- if days and not is_later and zone in modules.pytz.all_timezones_set -%}
        {%- set built_up_to = run_query(
            'select max(day) from (' ~ days | join(' union all ') ~ ') as days'
        ).rows[0][0] -%}
        {%- set local = modules.pytz.utc.localize(clock).astimezone(modules.pytz.timezone(zone)) -%}
        {%- set is_later = built_up_to is not none and built_up_to > local.date() -%}
    {%- endif -%}
    {%- if not is_later -%}{{ return([]) }}{%- endif -%}
    {{ return([
        'The state has been built up to ' ~ built_up_to ~ ', and the clock is ' ~ clock
        ~ ' (UTC).\nState only goes forward. To replay an earlier day name another state '
        ~ ('file:\n  LETTERSHOP_STATE=<new file> dbt ' ~ flags.WHICH if target.type == 'duckdb'
            else 'database.')
    ]) }}
{% endmacro %}

{#
    Erased people who would not be recognised, because LETTERSHOP_ERASURE_KEY is not the key with
    which they are remembered: their rows would come back with the next load.

    Returns: list of str, at most one message.
#}
{% macro key_problems() %}
    {%- set queue = lettershop.state_relation('activation', 'esp_erasure_queue') -%}
    {%- if queue is none -%}{{ return([]) }}{%- endif -%}
    {%- set columns = adapter.get_columns_in_relation(queue) | map(attribute='name')
        | map('lower') | list -%}
    {%- if 'key_check' not in columns -%}{{ return([]) }}{%- endif -%}
    {%- set other = run_query(
        'select count(*) from ' ~ queue ~ ' where key_check <> ' ~ lettershop.erasure_key_check()
    ).rows[0][0] | int -%}
    {%- if not other -%}{{ return([]) }}{%- endif -%}
    {{ return([
        'LETTERSHOP_ERASURE_KEY is ' ~ (
            'another key than the one' if env_var('LETTERSHOP_ERASURE_KEY', '')
            else 'not set, and there is a key'
        ) ~ ' with which ' ~ other ~ ' identifiers of erased people are remembered.\nThey would not'
        ~ ' be recognised, and would come back with the next load. Set that key again.\nIf it is lost,'
        ~ ' nobody who was erased can be recognised: delete the rows of ' ~ queue
        ~ ',\nand land their requests anew.'
    ]) }}
{% endmacro %}

{#
    A table of state, as an earlier build left it.

    Args:
        schema (str): the folder of its model.
        name (str).
    Returns: Relation, none where there is none yet.
#}
{% macro state_relation(schema, name) %}
    {{ return(adapter.get_relation(
        database=lettershop.state_database() | trim,
        schema=lettershop.generate_schema_name(schema, none) | trim,
        identifier=name,
    )) }}
{% endmacro %}
