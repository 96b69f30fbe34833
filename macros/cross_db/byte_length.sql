{#
    How many bytes a text takes in UTF-8.

    Args:
        expression (str): a SQL expression of type text.
    Returns: str, a SQL expression of type integer.
#}
{% macro byte_length(expression) -%}
    {{ return(adapter.dispatch('byte_length', 'lettershop')(expression)) }}
{%- endmacro %}

{% macro default__byte_length(expression) -%}
    strlen({{ expression }})
{%- endmacro %}

{% macro snowflake__byte_length(expression) -%}
    octet_length({{ expression }})
{%- endmacro %}
