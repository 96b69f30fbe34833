{#
    An identifier as a node of the identity graph.

    Args:
        store (str), type (str), identifier (str): SQL expressions of type text.
    Returns: str, a SQL expression of type text.
#}
{% macro identifier_node(store, type, identifier) -%}
    {{ store }} || chr(31) || {{ type }} || chr(31) || {{ identifier }}
{%- endmacro %}
