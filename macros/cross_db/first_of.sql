{#
    Several columns of the first of the aggregated rows, nulls among them. In two steps, since on
    DuckDB all columns are remembered at once: `first_of` aggregates, `of_first` names the columns
    in the query around it.

    Args:
        columns (dict of str to str): SQL of each column -> the name it gets.
        order (list of str): SQL of what the rows are ordered by, never null; together unique.
        relation (str): alias of what `first_of` stands in, where the query joins.
    Returns: str, a list of select items.
#}
{% macro first_of(columns, order) -%}
    {{ return(adapter.dispatch('first_of', 'lettershop')(columns, order)) }}
{%- endmacro %}

{% macro of_first(columns, relation=none) -%}
    {{ return(adapter.dispatch('of_first', 'lettershop')(columns, relation)) }}
{%- endmacro %}

{% macro duckdb__first_of(columns, order) -%}
    arg_min(
        struct_pack(
            {%- for column, name in columns.items() %}
            {{ name }} := {{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        ),
        row({{ order | join(', ') }})
    ) as first_row
{%- endmacro %}

{% macro duckdb__of_first(columns, relation) -%}
    {%- set first_row = [relation, 'first_row'] | select | join('.') -%}
    {%- for name in columns.values() %}
        struct_extract({{ first_row }}, '{{ name }}') as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- Snowflake orders by one value: text in which shorter parts come first. Preflight sees to it that
    a timestamp's text has all of its digits. -#}
{% macro snowflake__first_of(columns, order) -%}
    {%- set texts = [] -%}
    {%- for part in order -%}
        {%- do texts.append('cast(' ~ part ~ ' as varchar)') -%}
    {%- endfor -%}
    {%- for column, name in columns.items() %}
        min_by({{ column }}, {{ texts | join(' || chr(31) || ') }}) as {{ name }}
        {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro snowflake__of_first(columns, relation) -%}
    {%- for name in columns.values() %}
        {{ [relation, name] | select | join('.') }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
