{#
    The value of a column in the first row of a group; null where that row has none.

    Args:
        column (str): a SQL expression.
        order (list of str): SQL expressions that tell every two rows of a group apart, never null.
    Returns: str, an aggregate expression of the column's type.
#}
{% macro first_of(column, order) -%}
    {{ return(adapter.dispatch('first_of', 'lettershop')(column, order)) }}
{%- endmacro %}

{% macro duckdb__first_of(column, order) -%}
    arg_min_null({{ column }}, row({{ order | join(', ') }}))
{%- endmacro %}

{#- Snowflake orders by one value: text in which shorter parts come first. Preflight sees to it that
    a timestamp's text has all of its digits. -#}
{% macro snowflake__first_of(column, order) -%}
    {%- set texts = [] -%}
    {%- for part in order -%}
        {%- do texts.append('cast(' ~ part ~ ' as varchar)') -%}
    {%- endfor -%}
    min_by({{ column }}, {{ texts | join(' || chr(31) || ') }})
{%- endmacro %}
