{#
    Who sees what on Snowflake (docs/decisions/0066): statements as text, which tests read, and the
    operation that runs them. What is about people, and what becomes of it, is said once, in
    seeds/privacy/personal_columns.csv and the meta of its YAML; tools/pseudonymous.py reads the same.
#}

{#
    The schemas each role reads, of the published database.

    Returns: dict, role to schemas.
#}
{% macro readers() -%}
    {{ return({
        'lettershop_analyst': ['core', 'segments', 'predictions', 'marts'],
        'lettershop_sync': ['activation', 'monitoring'],
        'lettershop_admin': [
            'core', 'segments', 'features', 'training', 'scoring', 'predictions', 'marts',
            'activation', 'monitoring',
        ],
    }) }}
{%- endmacro %}

{#
    Grants of reading what is there. Each publication is a database of its own, so that nothing is
    granted of what is to come, which only who may manage all grants could do.

    Args:
        database (str): the published database.
        roles (dict): role to schemas.
    Returns: list of str, one statement each.
#}
{% macro grant_statements(database, roles) -%}
    {%- set statements = [] -%}
    {%- for role, schemas in roles.items() -%}
        {%- do statements.append('grant usage on database ' ~ database ~ ' to role ' ~ role) -%}
        {%- for schema in schemas -%}
            {%- set place = 'schema ' ~ database ~ '.' ~ schema -%}
            {%- do statements.append('grant usage on ' ~ place ~ ' to role ' ~ role) -%}
            {%- do statements.append('grant select on all tables in ' ~ place ~ ' to role ' ~ role) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(statements) }}
{%- endmacro %}

{#
    Two statements that leave a policy as this release has it: made where there is none, then given
    this body. It cannot be replaced while anything hangs on it, as what is published does.

    Args:
        kind (str): masking or row access.
        policy (str): its name.
        signature (str): what it takes and returns.
        body (str): a SQL expression.
    Returns: str, a statement.
#}
{% macro made_policy(kind, policy, signature, body) -%}
    create {{ kind }} policy if not exists {{ policy }} as {{ signature }} -> {{ body }}
{%- endmacro %}

{% macro altered_policy(kind, policy, body) -%}
    alter {{ kind }} policy {{ policy }} set body -> {{ body }}
{%- endmacro %}

{#
    The tag that marks columns about people, and the masking policies that hang on it: admins and
    the sync see values, everybody else hashes (`hashed`, of text) or nulls.

    Args:
        place (str): database and schema of tag and policies: not of the published database, whose name
            changes when it is swapped.
        key (str): of the hashes; a secret.
    Returns: list of str, one statement each.
#}
{% macro masking_statements(place, key) -%}
    {%- set tag = place ~ '.personal' -%}
    {%- set may = "is_role_in_session('LETTERSHOP_ADMIN') or is_role_in_session('LETTERSHOP_SYNC')" -%}
    {%- set hashed = "when system$get_tag_on_current_column('" ~ tag ~ "') = 'hashed'"
        ~ " then md5('" ~ key | replace("'", "''") ~ "' || value)" -%}
    {%- set types = {
        'varchar': hashed, 'number': '', 'float': '', 'boolean': '', 'date': '', 'timestamp_ntz': '',
    } -%}
    {%- set statements = [
        'create schema if not exists ' ~ place,
        'create tag if not exists ' ~ tag ~ " allowed_values 'hashed', 'hidden'",
    ] -%}
    {%- for type, otherwise in types.items() -%}
        {%- set policy = place ~ '.personal_' ~ type -%}
        {%- set body = 'case when ' ~ may ~ ' then value ' ~ otherwise ~ ' end' -%}
        {%- set signature = '(value ' ~ type ~ ') returns ' ~ type -%}
        {%- do statements.append(made_policy('masking', policy, signature, body)) -%}
        {%- do statements.append(altered_policy('masking', policy, body)) -%}
        {%- do statements.append(
            'alter tag ' ~ tag ~ ' set masking policy ' ~ policy ~ ' force'
        ) -%}
    {%- endfor -%}
    {{ return(statements) }}
{%- endmacro %}

{#
    The tags of columns about people.

    Args:
        database (str): the published database.
        columns (list): of dicts with table_schema, table_name, column_name and category.
        meta (dict): of the seed personal_columns: protection by category, and what is shown.
        place (str): database and schema of the tag.
    Returns: list of str, one statement each.
#}
{% macro tag_statements(database, columns, meta, place) -%}
    {%- set statements = [] -%}
    {%- for column in columns if column['column_name'] not in meta['shown'] -%}
        {%- set said = meta['protection'][column['category']] -%}
        {%- if said != 'shown' -%}
            {%- do statements.append(
                'alter table ' ~ database ~ '.' ~ column['table_schema'] ~ '.' ~ column['table_name']
                ~ ' modify column ' ~ column['column_name'] ~ ' set tag ' ~ place
                ~ ".personal = '" ~ said ~ "'"
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(statements) }}
{%- endmacro %}

{#
    The masks of words that were written freely (`written` in the meta): hidden as other columns are,
    or, in a table with a column `family`, by a policy that reads it: in rows of the family own.

    Args:
        database (str): the published database.
        columns (list): of dicts with table_schema, table_name, column_name and has_family.
        meta (dict): of the seed personal_columns.
        place (str): database and schema of tag and policy.
    Returns: list of str, one statement each.
#}
{% macro written_statements(database, columns, meta, place) -%}
    {%- set policy = place ~ '.own_words' -%}
    {%- set body = "case when is_role_in_session('LETTERSHOP_ADMIN') or"
        ~ " is_role_in_session('LETTERSHOP_SYNC') or family <> 'own' then value end" -%}
    {%- set signature = '(value varchar, family varchar) returns varchar' -%}
    {%- set statements = [
        made_policy('masking', policy, signature, body), altered_policy('masking', policy, body),
    ] -%}
    {%- for column in columns
        if column['column_name'] in meta['written'].get(column['table_name'], []) -%}
        {%- set name = column['column_name'] -%}
        {%- do statements.append(
            'alter table ' ~ database ~ '.' ~ column['table_schema'] ~ '.' ~ column['table_name']
            ~ ' modify column ' ~ name ~ ' set ' ~ (
                'masking policy ' ~ policy ~ ' using (' ~ name ~ ', family)'
                if column['has_family'] else 'tag ' ~ place ~ ".personal = 'hidden'"
            )
        ) -%}
    {%- endfor -%}
    {{ return(statements) }}
{%- endmacro %}

{#
    The tables of core that say what people did on the site, and with service.

    Returns: list of str.
#}
{% macro behaviour_tables() -%}
    {{ return([
        'fct_web_events', 'fct_web_sessions', 'fct_social_interactions', 'fct_service_interactions',
    ]) }}
{%- endmacro %}

{#
    Row access: analysts see what people did on the site, and with service, of those only who may be
    profiled. Orders stay whole, so that revenue adds up. A column cannot have a mask and decide about
    rows, and customer_key has one: publishing says of each row whether it is shown
    (`publish_statements`).

    Args:
        database (str): the published database.
        tables (list): of core, with a column is_shown.
        place (str): database and schema of the policy.
    Returns: list of str, one statement each.
#}
{% macro row_access_statements(database, tables, place) -%}
    {%- set policy = place ~ '.shown_rows' -%}
    {%- set body = "is_role_in_session('LETTERSHOP_ADMIN') or is_shown" -%}
    {%- set signature = '(is_shown boolean) returns boolean' -%}
    {%- set statements = [
        made_policy('row access', policy, signature, body),
        altered_policy('row access', policy, body),
    ] -%}
    {%- for table in tables -%}
        {%- do statements.append(
            'alter table ' ~ database ~ '.core.' ~ table ~ ' add row access policy ' ~ policy
            ~ ' on (is_shown)'
        ) -%}
    {%- endfor -%}
    {{ return(statements) }}
{%- endmacro %}

{#
    Stops what needs the secret of the masks' hashes where there is none: with a key that anybody
    can read here, addresses could be tried against them.

    Errors: what to do, where LETTERSHOP_ERASURE_KEY is not set.
#}
{% macro require_key() -%}
    {%- if not env_var('LETTERSHOP_ERASURE_KEY', '') -%}
        {%- do exceptions.raise_compiler_error(
            'Nothing was published. LETTERSHOP_ERASURE_KEY is not set: masks show hashes made with'
            ~ ' it, and without a secret of your own anybody could make them. Set the key that builds'
            ~ ' are run with.'
        ) -%}
    {%- endif -%}
{%- endmacro %}

{#
    Protect a database before anybody may read it; part of `dbt run-operation publish` on Snowflake,
    after the published tables are there and before they are put in their place. Does nothing on
    DuckDB, where readers get a file of their own.

    Args:
        database (str): the published database.
        policies (bool): false where the account's edition knows neither tags nor policies: then
            nothing is granted to analysts, who would see everything.
#}
{% macro protect(database, policies=true) -%}
    {%- if execute and target.type == 'snowflake' and not policies -%}
        {%- set roles = readers() -%}
        {%- do roles.pop('lettershop_analyst') -%}
        {%- for statement in grant_statements(database, roles) -%}
            {%- do run_query(statement) -%}
        {%- endfor -%}
        {{ log('No policies protect ' ~ database ~ ': analysts may not read it', info=true) }}
    {%- elif execute and target.type == 'snowflake' -%}
        {%- do lettershop.require_key() -%}
        {%- set seed = graph.nodes['seed.lettershop.personal_columns'] -%}
        {%- set place = state_database() ~ '.protection' -%}
        {%- set found = run_query(
            'select lower(c.table_schema) as table_schema, lower(c.table_name) as table_name,'
            ~ ' p.column_name, p.category from ' ~ database ~ '.information_schema.columns as c'
            ~ ' inner join ' ~ seed.relation_name ~ ' as p on p.column_name = lower(c.column_name)'
            ~ " inner join " ~ database ~ ".information_schema.tables as t"
            ~ " on t.table_schema = c.table_schema and t.table_name = c.table_name"
            ~ " where t.table_type = 'BASE TABLE' order by 1, 2, 3"
        ) -%}
        {%- set columns = [] -%}
        {%- for row in found.rows -%}
            {%- do columns.append({
                'table_schema': row[0], 'table_name': row[1], 'column_name': row[2],
                'category': row[3],
            }) -%}
        {%- endfor -%}
        {%- set found = run_query(
            'select lower(c.table_schema) as table_schema, lower(c.table_name) as table_name,'
            ~ ' lower(c.column_name) as column_name, f.column_name is not null as has_family'
            ~ ' from ' ~ database ~ '.information_schema.columns as c'
            ~ ' left join ' ~ database ~ '.information_schema.columns as f'
            ~ ' on f.table_schema = c.table_schema and f.table_name = c.table_name'
            ~ " and lower(f.column_name) = 'family' where lower(c.table_name) in ('"
            ~ seed.config.meta['written'] | join("', '") ~ "') order by 1, 2, 3"
        ) -%}
        {%- set texts = [] -%}
        {%- for row in found.rows -%}
            {%- do texts.append({
                'table_schema': row[0], 'table_name': row[1], 'column_name': row[2],
                'has_family': row[3],
            }) -%}
        {%- endfor -%}
        {%- set statements = (
            masking_statements(place, env_var('LETTERSHOP_ERASURE_KEY'))
            + tag_statements(database, columns, seed.config.meta, place)
            + written_statements(database, texts, seed.config.meta, place)
            + row_access_statements(database, behaviour_tables(), place)
            + grant_statements(database, readers())
        ) -%}
        {%- for statement in statements -%}
            {%- do run_query(statement) -%}
        {%- endfor -%}
        {{ log(statements | length ~ ' statements protect ' ~ database, info=true) }}
    {%- endif -%}
{%- endmacro %}
