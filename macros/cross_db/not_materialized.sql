{#
    Said of a CTE whose readers each read few of its columns, or few of its rows. DuckDB writes down
    whole whatever has several readers, unless it is told not to; Snowflake decides for itself.

    Returns: str, what stands between `as` and the parenthesis.
#}
{% macro not_materialized() -%}
    {{ return(adapter.dispatch('not_materialized', 'lettershop')()) }}
{%- endmacro %}

{% macro default__not_materialized() -%}
    not materialized
{%- endmacro %}

{% macro snowflake__not_materialized() -%}
{%- endmacro %}
