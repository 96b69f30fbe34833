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
