{#
    Which of a row's identifiers speaks for it: the first that is there. Goes with
    `coalesce(<the same columns>)` as the identifier itself.

    Args:
        columns (list of str): columns named like identifier types (a qualifier may stand
            before them), most trusted first.
    Returns: str, a SQL expression of type text.
#}
{% macro identifier_type(columns) -%}
    case
        {%- for column in columns[:-1] %}
        when {{ column }} is not null then '{{ column.split(".")[-1] }}'
        {%- endfor %}
        else '{{ columns[-1].split(".")[-1] }}'
    end
{%- endmacro %}
