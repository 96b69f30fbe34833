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

{#
    A UTC timestamp as text for keys, to the microsecond, without zeros at its end: the same on both
    engines whatever the session writes times like, and what it has always been on DuckDB.

    Args:
        expression (str): a SQL expression of type timestamp.
    Returns: str, a SQL expression of type text; null for null.
#}
{% macro time_text(expression) -%}
    {{ return(adapter.dispatch('time_text', 'lettershop')(expression)) }}
{%- endmacro %}

{% macro default__time_text(expression) -%}
    cast({{ expression }} as varchar)
{%- endmacro %}

{% macro snowflake__time_text(expression) -%}
    rtrim(rtrim(to_char({{ expression }}, 'YYYY-MM-DD HH24:MI:SS.FF6'), '0'), '.')
{%- endmacro %}
