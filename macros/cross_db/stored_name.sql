{#
    A name as the engine keeps it where it stands without quotes: dbt finds relations by it.

    Args:
        name (str): of a database, schema or table, in lower case.
    Returns: str, a name.
#}
{% macro stored_name(name) -%}
    {{ return(adapter.dispatch('stored_name', 'lettershop')(name)) }}
{%- endmacro %}

{% macro default__stored_name(name) -%}
    {{ return(name) }}
{%- endmacro %}

{% macro snowflake__stored_name(name) -%}
    {{ return(name | upper) }}
{%- endmacro %}
