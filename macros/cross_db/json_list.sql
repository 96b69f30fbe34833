{#
    A JSON list as text, an aggregate. Goes with json_text and json_string.

    Args:
        expression (str): a SQL expression of type text, JSON each; nulls are left out.
        order_by (str): columns that give one order.
    Returns: str, an aggregate expression of type text; `[]` where there is nothing.
#}
{% macro json_list(expression, order_by) -%}
    '[' || coalesce({{ dbt.listagg(expression, "', '", 'order by ' ~ order_by) }}, '') || ']'
{%- endmacro %}
