{#
    All columns of the few rows of a table that a condition on one or two columns picks. DuckDB reads
    every column before it knows which rows it needs, unless it is told where they lie.

    Args:
        relation (Relation): a table.
        condition (str): SQL over its columns.
    Returns: str, a query.
#}
{% macro whole_rows(relation, condition) -%}
    {{ return(adapter.dispatch('whole_rows', 'lettershop')(relation, condition)) }}
{%- endmacro %}

{% macro default__whole_rows(relation, condition) -%}
    select * from {{ relation }}
    where rowid in (select rowid from {{ relation }} where {{ condition }})
{%- endmacro %}

{% macro snowflake__whole_rows(relation, condition) -%}
    select * from {{ relation }}
    where {{ condition }}
{%- endmacro %}
