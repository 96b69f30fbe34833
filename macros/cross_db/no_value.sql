{#
    A null that stands in for a column that may not be there, united with the rows of a table in which
    it may be of any type, text too. On Snowflake a null with a type would make text a number, and the
    first text that is none would stop the build before anybody tries it.

    Args:
        type (str): the type that the column should have.
    Returns: str, a SQL expression.
#}
{% macro no_value(type) -%}
    {{ return(adapter.dispatch('no_value', 'lettershop')(type)) }}
{%- endmacro %}

{#- Where types differ DuckDB makes both text. -#}
{% macro default__no_value(type) -%}
    cast(null as {{ type }})
{%- endmacro %}

{% macro snowflake__no_value(type) -%}
    null
{%- endmacro %}
