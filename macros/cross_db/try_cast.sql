{#
    Cast that gives null where the value does not fit. `dbt.safe_cast` is a plain cast on DuckDB.

    Args:
        expression (str): a SQL expression.
        type (str): a SQL type.
    Returns: str, a SQL expression of that type.
#}
{% macro try_cast(expression, type) -%}
    {{ return(adapter.dispatch('try_cast', 'lettershop')(expression, type)) }}
{%- endmacro %}

{% macro default__try_cast(expression, type) -%}
    try_cast({{ expression }} as {{ type }})
{%- endmacro %}

{#- Snowflake tries to cast text only, and takes a whole number as text for seconds since 1970. -#}
{% macro snowflake__try_cast(expression, type) -%}
    {%- set text = 'cast(' ~ expression ~ ' as varchar)' -%}
    {%- if type in ['timestamp', 'date'] -%}
        {%- set text = 'case when try_cast(' ~ text ~ ' as decimal(38, 0)) is null then ' ~ text ~ ' end' -%}
    {%- endif -%}
    try_cast({{ text }} as {{ type }})
{%- endmacro %}
