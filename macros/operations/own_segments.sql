{#
    What the shop adds in seeds/own and the var custom_segment_models: the rules that it must keep.
    Those about seeds read the CSV files, so that a message names the line.
#}

{#
    The files of the project's seeds: the header of each, and where its rows stand. On another engine
    than DuckDB the seeds' own tests must do.

    Returns: dict of name to dict:
        path (str): for people;
        types (dict): column to type, as the seed's YAML declares them;
        header (str): first line of the file; is_fitting (bool): it names all columns, none twice;
        rows (str): SQL of its rows as text; source (str): with `row_count` and `row_number` too;
        lines (list of str): numbers of the lines at which the header and the rows begin.
      One of the project that was started goes before ours.
#}
{% macro seed_files() %}
    {%- set seeds, found = {}, {} -%}
    {%- if target.type != 'duckdb' -%}{{ return(found) }}{%- endif -%}
    {%- for seed in graph.nodes.values() if seed.resource_type == 'seed' and seed.config.column_types
        and (seed.package_name == 'lettershop' or (seed.patch_path or '').startswith('lettershop:')) -%}
        {%- if seed.name not in seeds or seed.package_name != 'lettershop' -%}
            {%- do seeds.update({seed.name: seed}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set files = {} -%}
    {%- for name, seed in seeds.items() -%}
        {%- set path = (seed.root_path ~ '/' if seed.root_path else '') ~ seed.original_file_path -%}
        {%- do files.update({"'" ~ path | replace("'", "''") ~ "'": name}) -%}
    {%- endfor -%}
    {%- if not files -%}{{ return(found) }}{%- endif -%}
    {%- set there = [] -%}
    {%- for file in files -%}
        {%- do there.append("select '" ~ files[file] ~ "' as seed from glob(" ~ file ~ ')') -%}
    {%- endfor -%}
    {%- set there = run_query(there | join(' union all ')).rows | map(attribute=0) | list -%}
    {%- set texts = [] -%}
    {%- for file, name in files.items() if name in there -%}
        {%- do texts.append("select '" ~ name ~ "' as seed, content from read_text(" ~ file ~ ')') -%}
    {%- endfor -%}
    {%- if not texts -%}{{ return(found) }}{%- endif -%}
    {#- A record ends where a line does, but not within quotes. Empty lines are no rows. -#}
    {%- set table = run_query(
        'with split as ('
        ~ 'select seed, regexp_extract_all(ltrim(content, chr(65279)),'
        ~ " '(?:[^\"\\n]|\"[^\"]*\")*\\n?') as records from (" ~ texts | join(' union all ') ~ ')'
        ~ '), numbered as ('
        ~ 'select seed, unnest(records) as record, unnest(range(len(records))) as place from split'
        ~ '), placed as ('
        ~ "select *, 1 + coalesce(sum(length(record) - length(replace(record, chr(10), ''))) over ("
        ~ 'partition by seed order by place rows between unbounded preceding and 1 preceding'
        ~ '), 0) as line from numbered'
        ~ ') select seed, arg_min(trim(record, chr(10) || chr(13)), place),'
        ~ " string_agg(cast(line as bigint)::varchar, ' ' order by place) from placed"
        ~ " where trim(record, chr(10) || chr(13)) <> '' group by seed order by seed"
    ) -%}
    {%- for name, header, lines in table.rows -%}
        {%- set seed = seeds[name] -%}
        {%- set delimiter = seed.config.get('delimiter') or ',' -%}
        {%- set columns, typed = [], [] -%}
        {%- for column in header.split(delimiter) -%}
            {%- set column = column.strip('"') -%}
            {%- do columns.append(column) -%}
            {%- do typed.append("'" ~ column | replace("'", "''") ~ "': 'varchar'") -%}
        {%- endfor -%}
        {%- set missing = seed.config.column_types | reject('in', columns) | list -%}
        {%- set file = (files.items() | selectattr(1, 'equalto', name) | first)[0] -%}
        {%- set rows = 'read_csv(' ~ file ~ ', auto_detect = false, header = true, quote = \'"\','
            ~ " escape = '\"', delim = '" ~ delimiter ~ "', nullstr = '', skip = "
            ~ (lines.split(' ')[0] | int - 1) ~ ', columns = {' ~ typed | join(', ') ~ '})' -%}
        {%- do found.update({name: {
            'path': seed.original_file_path,
            'types': seed.config.column_types,
            'header': header,
            'is_fitting': not missing and columns | unique | list | length == columns | length,
            'lines': lines.split(' '),
            'rows': rows,
            'source': '(select count(*) over () as row_count, row_number() over () as row_number, *'
                ~ ' from ' ~ rows ~ ')',
        }}) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{#
    Where a row begins, for a message.

    Args:
        file (dict): see seed_files.
        row_number (int): from 1, without the header.
        row_count (int): of the file.
    Returns: str, `, line 7`; empty where the file's lines cannot be told.
#}
{% macro line_of_row(file, row_number, row_count) %}
    {{ return(
        ', line ' ~ file.lines[row_number | int] if file.lines | length == row_count | int + 1 else ''
    ) }}
{% endmacro %}

{#
    The rows of a seed's file, as text.

    Args:
        files (dict): see seed_files.
        name (str): of the seed.
    Returns: dict of `path` (str), `is_read` (bool: its header fits) and `rows` (list of dict of
        column to str, none where empty, and `line`, see line_of_row); none where there is no such
        seed or no such file.
#}
{% macro seed_rows(files, name) %}
    {%- set file = files.get(name) -%}
    {%- if not file -%}{{ return(none) }}{%- endif -%}
    {%- set rows = [] -%}
    {%- set table = run_query('select * from ' ~ file.source) if file.is_fitting else none -%}
    {%- for values in table.rows if table -%}
        {%- set row = {} -%}
        {%- for column in table.column_names -%}
            {%- do row.update({column: values[loop.index0]}) -%}
        {%- endfor -%}
        {%- do row.update({'line': lettershop.line_of_row(file, row.row_number, row.row_count)}) -%}
        {%- do rows.append(row) -%}
    {%- endfor -%}
    {{ return({'path': file.path, 'is_read': file.is_fitting, 'rows': rows}) }}
{% endmacro %}

{#
    Rules of every seed: its header names its columns, and each value is of its column's type.

    Args:
        files (dict): see seed_files.
    Returns: list of str, a message each.
#}
{% macro seed_problems(files) %}
    {%- set problems, checks, queries = [], [], {} -%}
    {#- Their own rules say more. -#}
    {%- set judged = ['attribute_catalog', 'own_segments', 'segment_rules'] -%}
    {%- for name, file in files.items() -%}
        {%- set cells, conditions = [], [] -%}
        {%- for column, type in file.types.items() if 'char' not in type | lower -%}
            {%- set is_wrong = '"' ~ column ~ '" is not null and try_cast("' ~ column ~ '" as ' ~ type
                ~ ') is null' -%}
            {%- do conditions.append('(' ~ is_wrong ~ ')') -%}
            {%- do cells.append(
                "{'name': '" ~ column ~ "', 'value': \"" ~ column ~ "\", 'type': '" ~ type
                ~ "', 'is_wrong': " ~ is_wrong ~ '}'
            ) -%}
        {%- endfor -%}
        {%- if not file.is_fitting -%}
            {%- do problems.append(
                file.path ~ ': the header must be ' ~ file.types | join(',') ~ '; found '
                ~ file.header ~ '.'
            ) -%}
        {%- elif cells and name not in judged -%}
            {%- do checks.append(
                "select '" ~ name ~ "' as seed from " ~ file.rows ~ ' where '
                ~ conditions | join(' or ')
            ) -%}
            {%- do queries.update({name:
                "select '" ~ name ~ "' as seed, row_number, row_count, unnest([" ~ cells | join(', ')
                ~ ']) as cell from ' ~ file.source
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {#- Nearly always nothing is wrong, and that is told faster than where. -#}
    {%- set suspects = [] -%}
    {%- set found = run_query(
        'select distinct seed from (' ~ checks | join(' union all ') ~ ')'
    ).rows if checks else [] -%}
    {%- for row in found -%}
        {%- do suspects.append(queries[row[0]]) -%}
    {%- endfor -%}
    {%- set wrong = run_query(
        'select seed, row_number, row_count, cell.name, cell.value, cell.type from ('
        ~ suspects | join(' union all ') ~ ') where cell.is_wrong order by seed, row_number, cell.name'
    ).rows if suspects else [] -%}
    {%- for name, row_number, row_count, column, value, type in wrong -%}
        {%- set kind = type | lower -%}
        {%- do problems.append(
            files[name].path ~ lettershop.line_of_row(files[name], row_number, row_count) ~ ': '
            ~ column ~ ' is ' ~ lettershop.quoted(value) ~ ', and must be '
            ~ ('a whole number' if 'int' in kind else 'true or false' if kind == 'boolean'
                else 'a number' if 'dec' in kind or 'num' in kind or kind in ['double', 'float', 'real']
                else 'a value')
            ~ ' (' ~ type ~ ').'
        ) -%}
    {%- endfor -%}
    {{ return(problems) }}
{% endmacro %}

{#
    What is wrong with the seeds, above all those of own attributes, own segments and models, and
    with the models of the var custom_segment_models.

    Returns: list of str, a message each.
#}
{% macro own_problems() %}
    {%- set files = lettershop.seed_files() -%}
    {%- set catalogue = lettershop.seed_rows(files, 'attribute_catalog') -%}
    {%- set segments = lettershop.seed_rows(files, 'own_segments') -%}
    {%- set attributes, unclear = {}, [] -%}
    {%- for row in catalogue.rows if catalogue -%}
        {%- do attributes.update({row.attribute_name: {
            'attribute_type': row.attribute_type | lower,
            'is_in_rules': row.is_in_rules | lower,
            'is_sensitive': row.is_sensitive | lower,
        }}) -%}
    {%- endfor -%}
    {%- set problems = lettershop.attribute_problems(catalogue, unclear) -%}
    {#- Of an attribute whose own row is wrong, nothing else can be said. -#}
    {%- set unclear = none if catalogue and not catalogue.is_read else unclear -%}
    {{ return(
        lettershop.seed_problems(files)
        + problems
        + lettershop.segment_problems(segments)
        + lettershop.rule_problems(
            lettershop.seed_rows(files, 'segment_rules'), segments, attributes, unclear
        )
        + lettershop.field_problems(
            lettershop.seed_rows(files, 'esp_field_map'), attributes, unclear
        )
        + lettershop.custom_model_problems()
        + lettershop.model_problems(files)
    ) }}
{% endmacro %}

{#
    Whether a column is an attribute whose row in attribute_catalog is wrong.

    Args:
        name (str): of the column, none for none.
        unclear (list of str): such attributes; none where attribute_catalog cannot be read.
    Returns: bool.
#}
{% macro is_unclear(name, unclear) %}
    {%- set name = name or '' -%}
    {{ return(name.startswith('custom_attributes.') and (unclear is none or name[18:] in unclear)) }}
{% endmacro %}

{#
    Where a row is, for the beginning of a message.

    Args:
        seed (dict), row (dict): see seed_rows.
        named (str): the row in a few words.
    Returns: str.
#}
{% macro row_named(seed, row, named) %}
    {{ return(seed.path ~ row.line ~ ' (' ~ named ~ '): ') }}
{% endmacro %}

{#
    Rules of seeds/own/attribute_catalog.csv.

    Args:
        seed (dict): see seed_rows; none for no seed.
        unclear (list of str): the attributes whose rows are wrong are added to it.
    Returns: list of str, a message each.
#}
{% macro attribute_problems(seed, unclear) %}
    {%- set problems, known = [], [] -%}
    {%- for row in seed.rows if seed -%}
        {%- set name = row.attribute_name or '' -%}
        {%- set problems_before = problems | length -%}
        {%- set where = lettershop.row_named(seed, row, name) -%}
        {%- if not modules.re.match('^[a-z][a-z0-9_]{0,49}$', name) -%}
            {%- do problems.append(where ~ 'attribute_name must be lower case letters, digits and'
                ~ ' underscores, at most 50, as the landing spells it in lower case.') -%}
        {%- elif name in known -%}
            {%- do problems.append(where ~ 'the attribute stands in an earlier line too.') -%}
        {%- endif -%}
        {%- do known.append(name) -%}
        {%- if row.attribute_type | lower not in ['text', 'number', 'boolean', 'date'] -%}
            {%- do problems.append(where ~ 'attribute_type is ' ~ lettershop.quoted(row.attribute_type)
                ~ '. Allowed: text, number, boolean, date.') -%}
        {%- endif -%}
        {%- for column in ['is_in_rules', 'is_sensitive'] -%}
            {%- if row[column] | lower not in ['true', 'false'] -%}
                {%- do problems.append(where ~ column ~ ' must be true or false.') -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if row.is_in_rules | lower == 'true' and row.is_sensitive | lower == 'true' -%}
            {%- do problems.append(where ~ 'what is sensitive is in no rule: is_in_rules must be'
                ~ ' false.') -%}
        {%- endif -%}
        {%- if problems | length > problems_before -%}{%- do unclear.append(name) -%}{%- endif -%}
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
        attributes (dict): name to what attribute_catalog says, in lower case.
        unclear (list of str): see is_unclear.
    Returns: list of str, a message each.
#}
{% macro rule_problems(seed, segments, attributes, unclear) %}
    {%- set problems = [] -%}
    {%- set columns, operators = lettershop.rule_columns(), lettershop.rule_operators() -%}
    {%- set known = segments.rows | map(attribute='segment_id') | list if segments else [] -%}
    {%- for row in seed.rows if seed -%}
        {%- set where = lettershop.row_named(seed, row,
            [row.segment_id, row.rule_group, row.column_name, row.operator, row.compared_with]
            | select | join(', ')) -%}
        {%- if row.segment_id not in known and (not segments or segments.is_read) -%}
            {%- do problems.append(where ~ 'the segment has no row in own_segments.') -%}
        {%- endif -%}
        {%- if not modules.re.match('^[0-9]{1,9}$', row.rule_group or '') -%}
            {%- do problems.append(where ~ 'rule_group must be a whole number.') -%}
        {%- endif -%}
        {%- set problem = lettershop.column_problem(row.column_name or '', columns, attributes) -%}
        {%- set operator = operators.get(row.operator) -%}
        {%- if lettershop.is_unclear(row.column_name, unclear) -%}
        {%- elif problem -%}
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
        attributes (dict): name to what attribute_catalog says, in lower case.
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
        'boolean': ['^(?i:true|false)$', 'must be true or false'],
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
    Rules of seeds/activation/esp_field_map.csv. What they would let through becomes JSON that the
    platform refuses, or a field that keeps its old value there.

    Args:
        seed (dict): see seed_rows; none for no seed.
        attributes (dict): name to what attribute_catalog says, in lower case.
        unclear (list of str): see is_unclear.
    Returns: list of str, a message each.
#}
{% macro field_problems(seed, attributes, unclear) %}
    {%- set problems, types_of, esps = [], {}, {} -%}
    {%- for type, names in lettershop.payload_columns().items() -%}
        {%- for name in names -%}{%- do types_of.update({name: [type]}) -%}{%- endfor -%}
    {%- endfor -%}
    {%- set fitting = {
        'text': ['text'], 'date': ['text'], 'number': ['number', 'text'], 'boolean': ['boolean'],
    } -%}
    {%- set fallbacks = {
        'text': '', 'boolean': '^(true|false)$', 'number': '^-?[0-9]+([.][0-9]+)?$',
        'array': '^\[("[^"\\\\]*"(, *"[^"\\\\]*")*)?\]$',
    } -%}
    {%- for row in seed.rows if seed -%}
        {%- set column = row.column_name or '' -%}
        {%- set is_own = column.startswith('custom_attributes.') -%}
        {%- set attribute = attributes.get(column[18:]) if is_own else none -%}
        {%- set where = lettershop.row_named(seed, row, row.esp ~ ', ' ~ row.column_name) -%}
        {%- set types = fitting.get(attribute.attribute_type, []) if attribute
            else types_of.get(column, []) -%}
        {%- set is_replaced = is_own or row.purpose != 'email_marketing' or row.regions != '*' -%}
        {%- if row.placement == 'property' -%}{%- do esps.update({row.esp: true}) -%}
        {%- elif row.esp not in esps -%}{%- do esps.update({row.esp: false}) -%}
        {%- endif -%}
        {%- if lettershop.is_unclear(row.column_name, unclear) -%}
        {%- elif is_own and not attribute -%}
            {%- do problems.append(where ~ 'attribute_catalog has no attribute '
                ~ lettershop.quoted(column[18:]) ~ '.') -%}
        {%- elif is_own and attribute.is_sensitive != 'false' -%}
            {%- do problems.append(where ~ 'attribute_catalog says that ' ~ column[18:]
                ~ ' is sensitive: it is never sent.') -%}
        {%- elif not types -%}
            {%- do problems.append(where ~ 'activation.esp_profiles has no column '
                ~ lettershop.quoted(column) ~ ' to send.') -%}
        {%- elif row.property_type not in types -%}
            {%- do problems.append(where ~ 'property_type must be ' ~ types | join(' or ') ~ ', since '
                ~ (column[18:] ~ ' is a ' ~ attribute.attribute_type if is_own
                    else 'the column is of this type') ~ '.') -%}
        {%- elif is_replaced
            and not modules.re.match(fallbacks[row.property_type], row.fallback or '') -%}
            {%- do problems.append(where ~ 'fallback must be '
                ~ ('an array, such as [].' if row.property_type == 'array'
                    else 'a ' ~ row.property_type ~ '.')) -%}
        {%- elif row.placement != 'field' and (row.placement != 'property' or row.esp != 'klaviyo') -%}
            {%- do problems.append(where ~ 'placement must be '
                ~ ('field or property.' if row.esp == 'klaviyo' else 'field.')) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not esps.get('klaviyo', true) -%}
        {%- do problems.append(
            seed.path ~ ': klaviyo needs a row with the placement property, since the change number'
            ~ ' goes with those.') -%}
    {%- endif -%}
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
        {{ return('has ' ~ empty ~ (' row' if empty == 1 else ' rows') ~ ' without a customer_key, segment_id or reason.') }}
    {%- elif unknown -%}
        {{ return(
            'has ' ~ unknown ~ (' row' if unknown == 1 else ' rows') ~ ' whose customer_key is none of core.dim_customers: take it from'
            ~ ' there, or from marts.customer_identifiers.'
        ) }}
    {%- elif repeated -%}
        {{ return('has ' ~ repeated ~ (' row' if repeated == 1 else ' rows') ~ ' too many: one per customer_key and segment_id.') }}
    {%- elif unlisted is not none -%}
        {{ return('names the segment ' ~ unlisted ~ ', which has no row in own_segments.') }}
    {%- elif ruled is not none -%}
        {{ return('names the segment ' ~ ruled ~ ', which has rows in segment_rules too.') }}
    {%- endif -%}
    {{ return(none) }}
{% endmacro %}
