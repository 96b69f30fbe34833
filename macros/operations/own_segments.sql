{#
    What the shop adds in seeds/own and the var custom_segment_models: the rules that it must keep.
    Those about seeds read the CSV files, so that a message names the line.
#}

{#
    The rows of a seed's file, as text. On another engine than DuckDB the seeds' own tests must do.

    Args:
        name (str): of the seed; one of the project that was started goes before ours.
    Returns: dict of `path` (str) and `rows` (list of dict of column to str, none where empty, and
        `line`, int); none where there is no such seed or no such file.
#}
{% macro seed_rows(name) %}
    {%- set seeds = graph.nodes.values() | selectattr('resource_type', 'equalto', 'seed')
        | selectattr('name', 'equalto', name) | list -%}
    {%- set seed = (seeds | rejectattr('package_name', 'equalto', 'lettershop') | list + seeds) | first -%}
    {%- if not seed or target.type != 'duckdb' -%}{{ return(none) }}{%- endif -%}
    {%- set path = (seed.root_path ~ '/' if seed.root_path else '') ~ seed.original_file_path -%}
    {%- set file = "'" ~ path | replace("'", "''") ~ "'" -%}
    {%- if not run_query('select 1 from glob(' ~ file ~ ')').rows -%}{{ return(none) }}{%- endif -%}
    {%- set table = run_query(
        'select row_number() over () + 1 as line, * from read_csv(' ~ file
        ~ ", header = true, delim = ',', quote = '\"', all_varchar = true, nullstr = '')"
    ) -%}
    {%- set rows = [] -%}
    {%- for values in table.rows -%}
        {%- set row = {} -%}
        {%- for column in table.column_names -%}
            {%- do row.update({column: values[loop.index0]}) -%}
        {%- endfor -%}
        {%- do rows.append(row) -%}
    {%- endfor -%}
    {{ return({'path': seed.original_file_path, 'rows': rows}) }}
{% endmacro %}

{#
    What is wrong with the seeds of own attributes and own segments, and with the models of the var
    custom_segment_models.

    Returns: list of str, a message each.
#}
{% macro own_problems() %}
    {%- set catalogue = lettershop.seed_rows('attribute_catalog') -%}
    {%- set segments = lettershop.seed_rows('own_segments') -%}
    {%- set attributes = {} -%}
    {%- for row in catalogue.rows if catalogue -%}
        {%- do attributes.update({row.attribute_name: row}) -%}
    {%- endfor -%}
    {{ return(
        lettershop.attribute_problems(catalogue)
        + lettershop.segment_problems(segments)
        + lettershop.rule_problems(lettershop.seed_rows('segment_rules'), segments, attributes)
        + lettershop.field_problems(lettershop.seed_rows('esp_field_map'), attributes)
        + lettershop.custom_model_problems()
    ) }}
{% endmacro %}

{#
    Where a row is, for the beginning of a message.

    Args:
        seed (dict), row (dict): see seed_rows.
        named (str): the row in a few words.
    Returns: str.
#}
{% macro row_named(seed, row, named) %}
    {{ return(seed.path ~ ', line ' ~ row.line ~ ' (' ~ named ~ '): ') }}
{% endmacro %}

{#
    Rules of seeds/own/attribute_catalog.csv.

    Args:
        seed (dict): see seed_rows; none for no seed.
    Returns: list of str, a message each.
#}
{% macro attribute_problems(seed) %}
    {%- set problems, known = [], [] -%}
    {%- for row in seed.rows if seed -%}
        {%- set name = row.attribute_name or '' -%}
        {%- set where = lettershop.row_named(seed, row, name) -%}
        {%- if not modules.re.match('^[a-z][a-z0-9_]{0,49}$', name) -%}
            {%- do problems.append(where ~ 'attribute_name must be lower case letters, digits and'
                ~ ' underscores, at most 50, as the landing spells it in lower case.') -%}
        {%- elif name in known -%}
            {%- do problems.append(where ~ 'the attribute stands in an earlier line too.') -%}
        {%- endif -%}
        {%- do known.append(name) -%}
        {%- if row.attribute_type not in ['text', 'number', 'boolean', 'date'] -%}
            {%- do problems.append(where ~ 'attribute_type is ' ~ lettershop.quoted(row.attribute_type)
                ~ '. Allowed: text, number, boolean, date.') -%}
        {%- endif -%}
        {%- for column in ['is_in_rules', 'is_sensitive'] -%}
            {%- if row[column] not in ['true', 'false'] -%}
                {%- do problems.append(where ~ column ~ ' must be true or false.') -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if row.is_in_rules == 'true' and row.is_sensitive == 'true' -%}
            {%- do problems.append(where ~ 'what is sensitive is in no rule: is_in_rules must be'
                ~ ' false.') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{% endmacro %}

{#
    Rules of seeds/own/own_segments.csv.

    Args:
        seed (dict): see seed_rows; none for no seed.
    Returns: list of str, a message each.
#}
{% macro segment_problems(seed) %}
    {%- set problems, known = [], [] -%}
    {%- for row in seed.rows if seed -%}
        {%- set name = row.segment_id or '' -%}
        {%- set where = lettershop.row_named(seed, row, name) -%}
        {%- if not modules.re.match('^own_[a-z0-9_]{1,60}$', name) -%}
            {%- do problems.append(where ~ 'segment_id must begin with own_ and go on with lower case'
                ~ ' letters, digits and underscores. No segment of the project is ever called so.') -%}
        {%- elif name in known -%}
            {%- do problems.append(where ~ 'the segment stands in an earlier line too.') -%}
        {%- endif -%}
        {%- do known.append(name) -%}
        {%- for column in ['segment_name', 'meaning', 'owner'] if not row[column] -%}
            {%- do problems.append(where ~ column ~ ' is empty.') -%}
        {%- endfor -%}
        {%- if not modules.re.match('^[0-9]{1,9}$', row.minimum_size or '') -%}
            {%- do problems.append(where ~ 'minimum_size must be a whole number, 0 or more.') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{% endmacro %}

{#
    Rules of seeds/own/segment_rules.csv.

    Args:
        seed (dict), segments (dict): see seed_rows, of segment_rules and own_segments; none for no
            seed.
        attributes (dict): name to row of attribute_catalog.
    Returns: list of str, a message each.
#}
{% macro rule_problems(seed, segments, attributes) %}
    {%- set problems = [] -%}
    {%- set columns, operators = lettershop.rule_columns(), lettershop.rule_operators() -%}
    {%- set known = segments.rows | map(attribute='segment_id') | list if segments else [] -%}
    {%- for row in seed.rows if seed -%}
        {%- set where = lettershop.row_named(seed, row,
            [row.segment_id, row.rule_group, row.column_name, row.operator, row.compared_with]
            | select | join(', ')) -%}
        {%- if row.segment_id not in known -%}
            {%- do problems.append(where ~ 'the segment has no row in own_segments.') -%}
        {%- endif -%}
        {%- if not modules.re.match('^[0-9]{1,9}$', row.rule_group or '') -%}
            {%- do problems.append(where ~ 'rule_group must be a whole number.') -%}
        {%- endif -%}
        {%- set problem = lettershop.column_problem(row.column_name or '', columns, attributes) -%}
        {%- set operator = operators.get(row.operator) -%}
        {%- if problem -%}
            {%- do problems.append(where ~ problem) -%}
        {%- elif not operator -%}
            {%- do problems.append(where ~ 'there is no operator '
                ~ lettershop.quoted(row.operator) ~ '. There are: ' ~ operators | join(', ') ~ '.') -%}
        {%- else -%}
            {%- set attribute = attributes.get(row.column_name[18:]) -%}
            {%- set kind = columns.get(row.column_name) or attribute.attribute_type -%}
            {%- set kind = 'date' if kind == 'time' else kind -%}
            {%- if kind not in operator.kinds -%}
                {%- do problems.append(where ~ row.operator ~ ' compares no ' ~ kind ~ ', which '
                    ~ row.column_name ~ ' is; it is for ' ~ operator.kinds | join(', ') ~ '.') -%}
            {%- else -%}
                {%- set problem = lettershop.comparison_problem(
                    row.compared_with or '', operator.takes, kind) -%}
                {%- if problem -%}{%- do problems.append(where ~ problem) -%}{%- endif -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{% endmacro %}

{#
    Why a rule may not ask for a column.

    Args:
        name (str): of the column.
        columns (dict): see rule_columns.
        attributes (dict): name to row of attribute_catalog.
    Returns: str, none where it may.
#}
{% macro column_problem(name, columns, attributes) %}
    {%- if name in columns -%}{{ return(none) }}{%- endif -%}
    {%- if not name.startswith('custom_attributes.') -%}
        {{ return(
            'rules cannot ask for ' ~ lettershop.quoted(name) ~ '. They can for the columns of'
            ~ ' customer_profiles that are no name, address or id, and for'
            ~ ' custom_attributes.<name of an attribute>.'
        ) }}
    {%- endif -%}
    {%- set attribute = attributes.get(name[18:]) -%}
    {%- if not attribute -%}
        {{ return('attribute_catalog has no attribute ' ~ lettershop.quoted(name[18:]) ~ '.') }}
    {%- elif attribute.is_sensitive != 'false' -%}
        {{ return('attribute_catalog says that ' ~ name[18:] ~ ' is sensitive: no rule may ask it.') }}
    {%- elif attribute.is_in_rules != 'true' -%}
        {{ return('attribute_catalog says that ' ~ name[18:] ~ ' is not for rules (is_in_rules).') }}
    {%- endif -%}
    {{ return(none) }}
{% endmacro %}

{#
    What is wrong with what a rule compares with.

    Args:
        text (str): compared_with.
        takes (str): see rule_operators.
        kind (str): text, number, boolean or date.
    Returns: str, none where nothing is.
#}
{% macro comparison_problem(text, takes, kind) %}
    {%- set patterns = {
        'text': ['.', 'must not be empty'],
        'number': ['^[+-]?[0-9]{1,18}([.][0-9]{1,8})?$', 'must be a number such as 12.5'],
        'boolean': ['^(true|false)$', 'must be true or false'],
        'date': ['^[0-9]{4}-[0-9]{2}-[0-9]{2}$', 'must be a day such as 2024-02-29'],
        'several': ['^[^|]+([|][^|]+)*$', 'must be values with | between, such as gold|silver'],
        'days': ['^[0-9]{1,5}$', 'must be a number of days, 0 or more'],
        'nothing': ['^$', 'must be empty'],
    } -%}
    {%- set pattern, allowed = patterns[kind if takes == 'one' else takes] -%}
    {%- set fits = modules.re.match(pattern, text.strip()) -%}
    {%- if fits and takes == 'one' and kind == 'date' -%}
        {%- set fits = run_query("select try_cast('" ~ text ~ "' as date)").rows[0][0] -%}
    {%- endif -%}
    {{ return(none if fits else 'compared_with ' ~ allowed ~ '.') }}
{% endmacro %}

{#
    Rules of the rows of seeds/activation/esp_field_map.csv that send own attributes.

    Args:
        seed (dict): see seed_rows; none for no seed.
        attributes (dict): name to row of attribute_catalog.
    Returns: list of str, a message each.
#}
{% macro field_problems(seed, attributes) %}
    {%- set problems = [] -%}
    {%- set fitting = {
        'text': ['text'], 'date': ['text'], 'number': ['number', 'text'], 'boolean': ['boolean'],
    } -%}
    {%- set fallbacks = {'text': '', 'boolean': '^(true|false)$', 'number': '^-?[0-9]+([.][0-9]+)?$'} -%}
    {%- for row in seed.rows if seed and (row.column_name or '').startswith('custom_attributes.') -%}
        {%- set name = row.column_name[18:] -%}
        {%- set attribute = attributes.get(name) -%}
        {%- set where = lettershop.row_named(seed, row, row.esp ~ ', ' ~ row.column_name) -%}
        {%- set types = fitting.get(attribute.attribute_type, []) if attribute else [] -%}
        {%- if not attribute -%}
            {%- do problems.append(
                where ~ 'attribute_catalog has no attribute ' ~ lettershop.quoted(name) ~ '.') -%}
        {%- elif attribute.is_sensitive != 'false' -%}
            {%- do problems.append(where ~ 'attribute_catalog says that ' ~ name
                ~ ' is sensitive: it is never sent.') -%}
        {%- elif row.property_type not in types -%}
            {%- do problems.append(where ~ 'property_type must be ' ~ types | join(' or ') ~ ', since '
                ~ name ~ ' is a ' ~ attribute.attribute_type ~ '.') -%}
        {%- elif not modules.re.match(fallbacks[row.property_type], row.fallback or '') -%}
            {%- do problems.append(where ~ 'fallback must be a ' ~ row.property_type ~ '.') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{% endmacro %}

{#
    The models that the var custom_segment_models names.

    Returns: dict of name to relation in SQL, in the var's order; empty while dbt parses.
#}
{% macro custom_segment_relations() %}
    {%- set relations = {} -%}
    {%- for name in var('custom_segment_models') if execute -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model' and node.name == name -%}
            {%- do relations.update({name: node.relation_name}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(relations) }}
{% endmacro %}

{#
    What is wrong with the var custom_segment_models: it names what is no model, or a model that dbt
    does not know to be built before custom_members.

    Returns: list of str, a message each.
#}
{% macro custom_model_problems() %}
    {%- set named = var('custom_segment_models') -%}
    {%- if named is string or named is mapping or named is not iterable -%}
        {{ return([
            'The var custom_segment_models is ' ~ lettershop.quoted(named)
            ~ '. Allowed: a list of names of models, such as [wine_club].'
        ]) }}
    {%- endif -%}
    {%- set problems = [] -%}
    {%- set reader = graph.nodes.get('model.lettershop.custom_members') -%}
    {%- for name in named -%}
        {%- set nodes = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
            | selectattr('name', 'equalto', name) | list -%}
        {%- if nodes | length != 1 -%}
            {%- do problems.append(
                'The var custom_segment_models names ' ~ lettershop.quoted(name) ~ ', and there '
                ~ ('is no model' if not nodes else 'are several models') ~ ' of that name.') -%}
        {%- elif nodes[0].config.materialized == 'ephemeral' -%}
            {%- do problems.append(
                'The var custom_segment_models names ' ~ name ~ ', which is ephemeral. Make it a table'
                ~ ' or a view.') -%}
        {%- elif reader and nodes[0].unique_id not in reader.depends_on.nodes -%}
            {%- do problems.append(
                'The var custom_segment_models names ' ~ name ~ ', and dbt does not know that it comes'
                ~ ' before custom_members. Say so in dbt_project.yml:\nmodels:\n  lettershop:\n'
                ~ '    marts:\n      custom_members:\n        +pre_hook:\n'
                ~ '          - "{' ~ '% do ref(\'' ~ name ~ '\') %' ~ '}"') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{% endmacro %}

{#
    Stops custom_members before it reads a model that is none of own segments. Runs as its pre-hook.

    Returns: str, nothing to execute.
    Errors: name the model and what is wrong with it; never a customer.
#}
{% macro guard_custom_segments() -%}
    {%- for name, relation in lettershop.custom_segment_relations().items() -%}
        {%- set problem = lettershop.custom_segment_problem(relation) -%}
        {%- if problem -%}
            {%- do exceptions.raise_compiler_error(
                'The model ' ~ name ~ ' of the var custom_segment_models ' ~ problem
            ) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#
    What keeps a model from giving members of own segments.

    Args:
        relation (str): the model's, in SQL.
    Returns: str, a sentence that goes on after the model's name; none where nothing does.
#}
{% macro custom_segment_problem(relation) %}
    {%- set there = run_query('select * from ' ~ relation ~ ' where 1 = 0').column_names
        | map('lower') | list -%}
    {%- set missing = ['customer_key', 'segment_id', 'reason'] | reject('in', there) | list -%}
    {%- if missing -%}
        {{ return(
            'has no column ' ~ missing | join(', ') ~ '. It must have customer_key, segment_id and'
            ~ ' reason.'
        ) }}
    {%- endif -%}
    {%- set row = run_query(
        'select count(case when members.customer_key is null or members.segment_id is null'
        ~ ' or members.reason is null then 1 end),'
        ~ ' count(case when customers.customer_key is null then 1 end),'
        ~ ' count(*) - count(distinct (members.customer_key, members.segment_id)),'
        ~ ' min(case when segments.segment_id is null then members.segment_id end),'
        ~ ' min(rules.segment_id)'
        ~ ' from ' ~ relation ~ ' as members'
        ~ ' left join ' ~ ref('dim_customers') ~ ' as customers'
        ~ ' on members.customer_key = customers.customer_key'
        ~ ' left join ' ~ ref('own_segments') ~ ' as segments'
        ~ ' on members.segment_id = segments.segment_id'
        ~ ' left join (select distinct segment_id from ' ~ ref('segment_rules') ~ ') as rules'
        ~ ' on members.segment_id = rules.segment_id'
    ).rows[0] -%}
    {%- set empty, unknown, repeated, unlisted, ruled = row.values() -%}
    {%- if empty -%}
        {{ return('has ' ~ empty ~ ' rows without a customer_key, segment_id or reason.') }}
    {%- elif unknown -%}
        {{ return(
            'has ' ~ unknown ~ ' rows whose customer_key is none of core.dim_customers: take it from'
            ~ ' there, or from marts.customer_identifiers.'
        ) }}
    {%- elif repeated -%}
        {{ return('has ' ~ repeated ~ ' rows too many: one per customer_key and segment_id.') }}
    {%- elif unlisted is not none -%}
        {{ return('names the segment ' ~ unlisted ~ ', which has no row in own_segments.') }}
    {%- elif ruled is not none -%}
        {{ return('names the segment ' ~ ruled ~ ', which has rows in segment_rules too.') }}
    {%- endif -%}
    {{ return(none) }}
{% endmacro %}
