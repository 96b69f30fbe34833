{#
    Whether a text matches a regular expression anywhere in it.

    Args:
        expression (str): a SQL expression of type text.
        pattern (str): a pattern that RE2 and Snowflake read alike; anchors must be written out.
    Returns: str, a SQL expression of type boolean (null for null).
#}
{% macro matches(expression, pattern) -%}
    {{ return(adapter.dispatch('matches', 'lettershop')(expression, pattern)) }}
{%- endmacro %}

{% macro default__matches(expression, pattern) -%}
    regexp_matches({{ expression }}, '{{ pattern }}')
{%- endmacro %}

{#- Snowflake's function asks for the whole text. -#}
{% macro snowflake__matches(expression, pattern) -%}
    regexp_like({{ expression }}, '.*({{ pattern }}).*', 's')
{%- endmacro %}
