{#
    The database that holds state (docs/decisions/0004): the attached file on DuckDB, the target's
    own database elsewhere.

    Returns: str, a database name.
#}
{% macro state_database() -%}
    {{ 'state' if target.type == 'duckdb' else target.database }}
{%- endmacro %}
