{#
    How a trigger's table is kept: a table like any other, or, where the var trigger_target_lag is
    set and the engine can, one that the engine itself keeps current between builds
    (docs/decisions/0068).

    Args:
        is_last (bool): whether the lag is this table's own. The others follow whatever reads them.
    Returns: dict, for config().
#}
{% macro live_table(is_last=false) -%}
    {{ return(adapter.dispatch('live_table', 'lettershop')(is_last)) }}
{%- endmacro %}

{% macro default__live_table(is_last) -%}
    {{ return({'materialized': 'table'}) }}
{%- endmacro %}

{% macro snowflake__live_table(is_last) -%}
    {%- set lag = var('trigger_target_lag', none) -%}
    {%- if lag is none -%}
        {{ return({'materialized': 'table'}) }}
    {%- endif -%}
    {{ return({
        'materialized': 'dynamic_table',
        'target_lag': lag if is_last else 'downstream',
        'snowflake_warehouse': env_var('SNOWFLAKE_WAREHOUSE', 'LETTERSHOP_WH'),
        'refresh_mode': 'FULL',
        'on_configuration_change': 'apply',
        'contract': {'enforced': false},
    }) }}
{%- endmacro %}

{#
    Whether the model that is compiled is kept current by the engine, which then has the time.

    Returns: bool.
#}
{% macro is_live() -%}
    {{ return(
        model is defined and model.config is defined
        and model.config.materialized == 'dynamic_table'
    ) }}
{%- endmacro %}

{#
    The time as a table that is kept current reads it. The only clock that is the engine's
    (docs/decisions/0002, 0068).

    Args:
        zone (str): the IANA time zone to tell it in.
    Returns: str, a SQL expression of type timestamp.
#}
{% macro live_time(zone='UTC') -%}
    {{ return(adapter.dispatch('live_time', 'lettershop')(zone)) }}
{%- endmacro %}

{% macro default__live_time(zone) -%}
    {{ exceptions.raise_compiler_error('This engine keeps no table current by itself.') }}
{%- endmacro %}

{% macro snowflake__live_time(zone) -%}
    cast(convert_timezone('{{ zone }}', current_timestamp()) as timestamp_ntz)
{%- endmacro %}
