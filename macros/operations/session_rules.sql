{#
    What a session on Snowflake must be like before anything is built in it. An account, or who runs
    it, may have set otherwise; docs/snowflake.md sets these for the user that dbt connects as.
#}

{#
    Parameters of the session that results depend on: times and dates become text, in keys too; what
    is said without a zone is UTC; `timestamp` is a type without a zone; weeks begin on Monday.

    Returns: dict of parameter to the values that are right, the first of them Snowflake's default
        or what the guide sets.
#}
{% macro session_settings() %}
    {{ return({
        'timezone': ['UTC', 'Etc/UTC'],
        'timestamp_ntz_output_format': ['YYYY-MM-DD HH24:MI:SS.FF9'],
        'date_output_format': ['YYYY-MM-DD'],
        'timestamp_type_mapping': ['TIMESTAMP_NTZ'],
        'week_start': ['0', '1'],
    }) }}
{% endmacro %}

{#
    The parameters of this session.

    Returns: dict of parameter, in lower case, to value.
#}
{% macro session_parameters() %}
    {%- set found = {} -%}
    {%- for row in run_query('show parameters in session').rows -%}
        {%- do found.update({row[0] | lower: row[1] | string}) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{#
    Rule: the session's parameters are those that results depend on.

    Args:
        settings (dict): see session_settings.
        found (dict): see session_parameters.
    Returns: list of str, at most one message.
#}
{% macro session_problems(settings, found) %}
    {%- set lines = [] -%}
    {%- for name, allowed in settings.items() if found.get(name) not in allowed -%}
        {%- do lines.append(
            '\n  alter user <the user of the profile> set ' ~ name ~ " = '" ~ allowed[0]
            ~ "';  -- is " ~ found.get(name, 'not known')
        ) -%}
    {%- endfor -%}
    {{ return([
        'Times, dates and weeks would be others in this session. Once, as an administrator:'
        ~ lines | join('')
    ] if lines else []) }}
{% endmacro %}

{#
    Rule: a build says whose it is. On Snowflake no vars.yml lies beside the landing that could be
    looked into, and without its vars everything would be built, in UTC and US dollars.

    Args:
        passed (dict): the vars that this run was started with.
        settings (dict): see run_settings.
    Returns: list of str, at most one message.
#}
{% macro unsaid_vars_problems(passed, settings) %}
    {{ return([
        'This run was started without the vars of its landing: shop_timezone and base_currency are'
        ~ ' those of dbt_project.yml, UTC and USD, and nobody said so. Run\n  dbt build --target'
        ~ ' snowflake --vars "$(cat vars.yml)"\nA shop of UTC and USD says so in its vars.yml.'
    ] if 'shop_timezone' not in passed and 'base_currency' not in passed
        and settings.shop_timezone == 'UTC' and settings.base_currency == 'USD' else []) }}
{% endmacro %}
