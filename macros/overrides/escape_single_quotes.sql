{#
    A text as dbt writes it between quotes, in the rows of unit tests. Snowflake reads a backslash as
    the beginning of an escape, and dbt-snowflake leaves it alone: `\"` would lose its backslash.

    Args:
        expression (str): the text.
    Returns: str, what stands between the quotes.
#}
{% macro snowflake__escape_single_quotes(expression) -%}
    {{ expression | replace("\\", "\\\\") | replace("'", "\\'") }}
{%- endmacro %}
