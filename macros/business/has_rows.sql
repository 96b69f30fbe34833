{#
    Whether this run reads rows at all. Under `--empty` every table is empty, and a test that asks
    whether something is there has nothing to say. State writes nothing then, and keeps what it has.

    Returns: str, a SQL expression of type boolean.
#}
{% macro has_rows() -%}
    {{ 'false' if flags.EMPTY else 'true' }}
{%- endmacro %}
