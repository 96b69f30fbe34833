{#
    Post-hook of an incremental Python model: drops what dbt-duckdb leaves behind of each run, a
    table `<model>__dbt_tmp<time>` in the working database.

    Args:
        relation (Relation): the model.
    Returns: str, SQL statements; none where nothing is left.
#}
{% macro drop_leftovers(relation) -%}
    {%- if execute and target.type == 'duckdb' -%}
        {%- set found = run_query(
            "select database_name, schema_name, table_name from duckdb_tables() where"
            ~ " starts_with(table_name, '" ~ relation.identifier ~ "__dbt_tmp')"
        ) -%}
        {%- for row in found.rows %}
        drop table if exists "{{ row[0] }}"."{{ row[1] }}"."{{ row[2] }}";
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
