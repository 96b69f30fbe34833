{#
    A 64-bit fingerprint of a row, to see whether it changed since it was read last. Not the same
    on every engine, so it is compared with its own past only, and never published.

    Hashed twice: DuckDB's hash of several values is the exclusive or of the last one's and of the
    others'. What two rows have in common in the last place, such as the amount of both orders, would
    be gone from their sum, and with it every change of it.

    Args:
        columns (list of str): SQL expressions; nulls count.
    Returns: str, a SQL expression of an integer type.
#}
{% macro fingerprint(columns) -%}
    hash(hash({{ columns | join(', ') }}))
{%- endmacro %}

{#
    The fingerprint of a set of rows, in whatever order they come.

    Args:
        column (str): fingerprints of rows that differ from each other.
    Returns: str, an aggregate expression of an integer type.
#}
{% macro fingerprint_of_all(column) -%}
    {{ return(adapter.dispatch('fingerprint_of_all', 'lettershop')(column)) }}
{%- endmacro %}

{% macro default__fingerprint_of_all(column) -%}
    bit_xor({{ column }})
{%- endmacro %}

{% macro snowflake__fingerprint_of_all(column) -%}
    bitxor_agg({{ column }})
{%- endmacro %}
