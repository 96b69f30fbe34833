{#
    Publishing on Snowflake: a database of clones, protected before anybody may read it, then swapped
    with the published one in a single statement. Clones take no storage of their own. A view is
    published as the rows that it has now: a clone of it would read what the next build, passed or
    not, leaves in the working database. On DuckDB tools.publish does the same with files.

    Args:
        published (str): the published database.
        relations (list): what to publish, each a dict with database, schema, name, is_table and
            shown_of: none, or the table of the customers whose rows analysts are shown. Then a column
            is_shown says of each row whether it is one of theirs, or nobody's.
    Returns: dict with `before` and `after`, statements to run before and after protecting
        `<published>_next`.
#}
{% macro publish_statements(published, relations) -%}
    {%- set next = published ~ '_next' -%}
    {%- set before = [
        'create database if not exists ' ~ published,
        'create or replace transient database ' ~ next,
    ] -%}
    {%- for schema in relations | map(attribute='schema') | unique | sort -%}
        {%- do before.append('create transient schema if not exists ' ~ next ~ '.' ~ schema) -%}
    {%- endfor -%}
    {%- for relation in relations -%}
        {%- set place = relation['schema'] ~ '.' ~ relation['name'] -%}
        {%- set made = 'create or replace transient table ' ~ next ~ '.' ~ place -%}
        {%- set source = relation['database'] ~ '.' ~ place -%}
        {%- if relation['shown_of'] -%}
            {%- do before.append(
                made ~ ' as select told.*,'
                ~ ' told.customer_key is null or shown.customer_key is not null as is_shown'
                ~ ' from ' ~ source ~ ' as told left join (select distinct customer_key from '
                ~ relation['shown_of'] ~ ') as shown on told.customer_key = shown.customer_key'
            ) -%}
        {%- else -%}
            {%- do before.append(
                made ~ (' clone ' if relation['is_table'] else ' as select * from ') ~ source
            ) -%}
        {%- endif -%}
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
    What is published of the project's models: as tools.publish has it, without the views that look
    back over all past days, which training alone reads.

    Args:
        policies (bool): see `protect`.
    Returns: list of dicts, see `publish_statements`.
#}
{% macro published_relations(policies=true) -%}
    {%- set relations = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
        {%- set is_table = node.config.materialized in ('table', 'incremental') -%}
        {%- set looks_back = (node.schema == 'features' and not is_table)
            or modules.re.match('(dim|fct)_dated_', node.alias)
            or node.alias in ('customer_descriptions', 'fct_message_reactions') -%}
        {%- if node.schema in lettershop.readers()['lettershop_admin'] and not looks_back -%}
            {%- do relations.append({
                'database': node.database, 'schema': node.schema, 'name': node.alias,
                'is_table': is_table,
                'shown_of': graph.nodes['model.lettershop.profiled_customers'].relation_name
                    if policies and node.schema == 'core'
                    and node.alias in lettershop.behaviour_tables() else none,
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(relations) }}
{%- endmacro %}

{#
    Publish what the last build left; for `dbt run-operation publish` on Snowflake, after a build that
    passed.

    Args:
        published (str): the published database.
        policies (bool): false on the Standard edition, which has neither tags nor policies: what is
            published is then for the sync and admins alone.
#}
{% macro publish(published, policies=true) -%}
    {%- if execute and target.type == 'snowflake' -%}
        {%- if policies -%}
            {%- do lettershop.require_key() -%}
        {%- endif -%}
        {%- set relations = lettershop.published_relations(policies) -%}
        {%- set steps = lettershop.publish_statements(published, relations) -%}
        {%- for statement in steps['before'] -%}
            {%- do run_query(statement) -%}
        {%- endfor -%}
        {%- do lettershop.protect(published ~ '_next', policies) -%}
        {%- for statement in steps['after'] -%}
            {%- do run_query(statement) -%}
        {%- endfor -%}
        {{ log('Published ' ~ relations | length ~ ' tables to ' ~ published ~ '.', info=true) }}
    {%- endif -%}
{%- endmacro %}
