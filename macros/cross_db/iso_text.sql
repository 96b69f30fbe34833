{#
    A UTC timestamp as text that every ESP reads: YYYY-MM-DDTHH:MM:SSZ.

    Args:
        expression (str): a SQL expression of type timestamp, in UTC.
    Returns: str, a SQL expression of type text.
#}
{% macro iso_text(expression) -%}
    {{ return(adapter.dispatch('iso_text', 'lettershop')(expression)) }}
{%- endmacro %}

{% macro default__iso_text(expression) -%}
    strftime({{ expression }}, '%Y-%m-%dT%H:%M:%SZ')
{%- endmacro %}

{% macro snowflake__iso_text(expression) -%}
    replace(to_char({{ expression }}, 'YYYY-MM-DD HH24:MI:SS'), ' ', 'T') || 'Z'
{%- endmacro %}

{#
    What iso_text wrote, as a timestamp again.

    Args:
        expression (str): a SQL expression of type text.
    Returns: str, a SQL expression of type timestamp, in UTC.
#}
{% macro time_of_iso_text(expression) -%}
    cast(replace(replace({{ expression }}, 'T', ' '), 'Z', '') as timestamp)
{%- endmacro %}
