{#
    The day of the week, 1 for Monday to 7 for Sunday.

    Args:
        expression (str): a SQL expression of type date.
    Returns: str, a SQL expression of type integer.
#}
{% macro iso_day_of_week(expression) -%}
    {{ return(adapter.dispatch('iso_day_of_week', 'lettershop')(expression)) }}
{%- endmacro %}

{% macro default__iso_day_of_week(expression) -%}
    extract(isodow from {{ expression }})
{%- endmacro %}

{% macro snowflake__iso_day_of_week(expression) -%}
    dayofweekiso({{ expression }})
{%- endmacro %}
