{#
    The database that holds state (docs/decisions/0004): the attached file on DuckDB, a database of
    its own on Snowflake (docs/decisions/0061).

    Returns: str, a database name.
#}
{% macro state_database() -%}
    {{ 'state' if target.type == 'duckdb' else env_var('SNOWFLAKE_STATE_DATABASE', 'LETTERSHOP_STATE') }}
{%- endmacro %}
