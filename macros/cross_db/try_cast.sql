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

{#- Snowflake tries to cast text only. -#}
{% macro snowflake__try_cast(expression, type) -%}
    try_cast(cast({{ expression }} as varchar) as {{ type }})
{%- endmacro %}
