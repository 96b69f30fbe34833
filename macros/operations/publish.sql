{#
    Publishing on Snowflake: a database of clones, protected before anybody may read it, then swapped
    with the published one in a single statement. Clones take no storage of their own. On DuckDB
    tools.publish does the same with files.

    Args:
        work (str): the working database.
        published (str): the published database.
        schemas (list): of the working database.
        kept (list): tables of the state database, each a dict with database, schema and name.
    Returns: dict with `before` and `after`, statements to run before and after protecting
        `<published>_next`.
#}
{% macro publish_statements(work, published, schemas, kept) -%}
    {%- set next = published ~ '_next' -%}
    {%- set before = [
        'create database if not exists ' ~ published,
        'create or replace transient database ' ~ next,
    ] -%}
    {%- for schema in schemas -%}
        {%- do before.append(
            'create transient schema ' ~ next ~ '.' ~ schema ~ ' clone ' ~ work ~ '.' ~ schema
        ) -%}
    {%- endfor -%}
    {%- for table in kept -%}
        {%- set place = table['schema'] ~ '.' ~ table['name'] -%}
        {%- do before.append('create schema if not exists ' ~ next ~ '.' ~ table['schema']) -%}
        {%- do before.append(
            'create or replace transient table ' ~ next ~ '.' ~ place
            ~ ' clone ' ~ table['database'] ~ '.' ~ place
        ) -%}
    {%- endfor -%}
    {{ return({
        'before': before,
        'after': [
            'alter database ' ~ next ~ ' swap with ' ~ published,
            'drop database ' ~ next,
        ],
    }) }}
{%- endmacro %}

{#
    Publish what the last build left; for `dbt run-operation publish` on Snowflake, after a build that
    passed.

    Args:
        published (str): the published database.
#}
{% macro publish(published) -%}
    {%- if execute and target.type == 'snowflake' -%}
        {%- set schemas, kept = [], [] -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
            {%- if node.schema in readers()['lettershop_admin'] -%}
                {%- if node.database | lower != target.database | lower -%}
                    {%- do kept.append(
                        {'database': node.database, 'schema': node.schema, 'name': node.alias}
                    ) -%}
                {%- elif node.schema not in schemas -%}
                    {%- do schemas.append(node.schema) -%}
                {%- endif -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set steps = publish_statements(target.database, published, schemas, kept) -%}
        {%- for statement in steps['before'] -%}
            {%- do run_query(statement) -%}
        {%- endfor -%}
        {%- do protect(published ~ '_next') -%}
        {%- for statement in steps['after'] -%}
            {%- do run_query(statement) -%}
        {%- endfor -%}
        {{ log('Published ' ~ schemas | length ~ ' schemas to ' ~ published ~ '.', info=true) }}
    {%- endif -%}
{%- endmacro %}
