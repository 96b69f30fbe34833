{#
    The rules that a landing on DuckDB must keep before anything is built from it. Each is stated
    here once, for the preflight of every run and for check_landing.
#}

{#
    A value for a message.

    Args:
        value (any).
    Returns: str, 'text' in quotes, null, true, 0.5.
#}
{% macro quoted(value) %}
    {{ return("'" ~ value ~ "'" if value is string else tojson(value, value | string)) }}
{% endmacro %}

{#
    Where the landing is.

    Returns: str, a folder as LETTERSHOP_LANDING gives it, without a slash at its end.
#}
{% macro landing_folder() %}
    {{ return(env_var('LETTERSHOP_LANDING', 'data/landing').rstrip('/')) }}
{% endmacro %}

{#
    The contracts of all landing tables, required ones first.

    Returns: list of source nodes of dbt's graph.
#}
{% macro landing_contracts() %}
    {%- set required = [] -%}
    {%- set optional = [] -%}
    {%- for contract in graph.sources.values() | sort(attribute='name') -%}
        {%- if contract.package_name == 'lettershop' and contract.source_name != 'state' -%}
            {%- do (required if contract.config.meta.is_required else optional).append(contract) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(required + optional) }}
{% endmacro %}

{#
    What lies in the landing folder.

    Returns: dict with `tables` (list of str: names of parquet files and of folders of such files)
        and `vars` (dict: what vars.yml says; none without the file, a str where it is no YAML
        mapping).
#}
{% macro landing_files() %}
    {%- set folder = lettershop.landing_folder() | replace("'", "''") -%}
    {%- set found = run_query(
        "select distinct regexp_extract(file, '([^/\\\\]+)[.]parquet$', 1) as name"
        ~ " from glob('" ~ folder ~ "/*.parquet')"
        ~ " union select regexp_extract(file, '.*[/\\\\]([^/\\\\]+)[.]parquet[/\\\\]', 1)"
        ~ " from glob('" ~ folder ~ "/*.parquet/**/*.parquet')"
        ~ " union select 'vars.yml' from glob('" ~ folder ~ "/vars.yml')"
        ~ " order by name"
    ).rows | map(attribute=0) | list -%}
    {%- set files = {'tables': found | reject('equalto', 'vars.yml') | list, 'vars': none} -%}
    {%- if 'vars.yml' in found -%}
        {%- set text = run_query(
            "select content from read_text('" ~ folder ~ "/vars.yml')"
        ).rows[0][0] | string -%}
        {%- set content = fromyaml(text, text) -%}
        {%- do files.update({'vars': {} if content is none else content}) -%}
    {%- endif -%}
    {{ return(files) }}
{% endmacro %}

{#
    The vars that this run was started with.

    Returns: dict of var to value.
#}
{% macro passed_vars() %}
    {%- set passed = invocation_args_dict.vars or {} -%}
    {{ return(fromyaml(passed, {}) or {} if passed is string else passed) }}
{% endmacro %}

{#
    The vars of the landing's vars.yml that this run neither was given nor has by default.

    Args:
        files (dict): see landing_files.
    Returns: list of str, names of vars.
#}
{% macro forgotten_vars(files) %}
    {%- set forgotten = [] -%}
    {%- set passed = lettershop.passed_vars() -%}
    {%- if files.vars is mapping -%}
        {%- for name, value in files.vars.items() if name not in passed -%}
            {%- if var(name, none) | string != value | string -%}
                {%- do forgotten.append(name) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(forgotten) }}
{% endmacro %}

{#
    Rule: there is a landing.

    Args:
        files (dict): see landing_files.
    Returns: list of str, at most one message.
#}
{% macro folder_problems(files) %}
    {%- if files.tables -%}{{ return([]) }}{%- endif -%}
    {%- set source = 'the environment variable LETTERSHOP_LANDING'
        if env_var('LETTERSHOP_LANDING', '') else 'the default, LETTERSHOP_LANDING is not set' -%}
    {{ return([
        "There is no landing: the folder '" ~ lettershop.landing_folder() ~ "' (" ~ source
        ~ ') does not exist or holds no parquet file.\nSet LETTERSHOP_LANDING to the folder of the'
        ~ ' landing tables, or begin with `make demo`.'
    ]) }}
{% endmacro %}

{#
    Rule: a landing that says which vars it needs is built with them. A var that was passed may say
    something else.

    Args:
        files (dict): see landing_files.
    Returns: list of str, at most one message.
#}
{% macro vars_problems(files) %}
    {%- set folder = lettershop.landing_folder() -%}
    {%- if files.vars is not none and files.vars is not mapping -%}
        {{ return([
            folder ~ '/vars.yml is not a list of vars: write one `name: value` on each line.'
        ]) }}
    {%- endif -%}
    {%- set forgotten = lettershop.forgotten_vars(files) -%}
    {%- if not forgotten -%}{{ return([]) }}{%- endif -%}
    {%- set lines = [
        'This run was started without the vars of its landing. ' ~ folder ~ '/vars.yml says:'
    ] -%}
    {%- for name in forgotten -%}
        {%- do lines.append(
            '  ' ~ name ~ ': ' ~ lettershop.quoted(files.vars[name])
            ~ ' (this run: ' ~ lettershop.quoted(var(name, none)) ~ ')'
        ) -%}
    {%- endfor -%}
    {%- set path = '$LETTERSHOP_LANDING' if env_var('LETTERSHOP_LANDING', '') else folder -%}
    {%- do lines.append('Run\n  dbt build --vars "$(cat ' ~ path ~ '/vars.yml)"') -%}
    {{ return([lines | join('\n')]) }}
{% endmacro %}

{#
    What the landing holds of each table of the contract, and which rules that breaks.

    Args:
        files (dict): see landing_files.
        settings (dict): see run_settings.
    Returns: list of dict, one per table:
        name (str); contract (the source's node); relation (the source's SQL);
        is_required, is_on (bool: required or not switched off), is_found (bool);
        columns (dict: lower-case name to DuckDB type); missing (list of column names);
        missing_required (list of str: column names, and 'one of a, b' as one);
        unlike (list of column names: typed unlike the contract, so that values may not fit);
        uncastable (list of column names: there are values and none fits).
#}
{% macro inspect_landing(files, settings) %}
    {%- set tables = [] -%}
    {%- set describes = [] -%}
    {%- for contract in lettershop.landing_contracts() -%}
        {%- set is_required = contract.config.meta.get('is_required', false) -%}
        {%- set table = {
            'name': contract.name,
            'contract': contract,
            'relation': source(contract.source_name, contract.name) | string,
            'is_required': is_required,
            'is_on': is_required or settings['using_' ~ contract.name] is not false,
            'is_found': contract.name in files.tables,
            'columns': {}, 'missing': [], 'missing_required': [], 'unlike': [], 'uncastable': [],
        } -%}
        {%- do tables.append(table) -%}
        {%- if table.is_on and table.is_found -%}
            {%- do describes.append(
                "select '" ~ table.name ~ "' as table_name, column_name, column_type from ("
                ~ 'describe select * from ' ~ table.relation ~ ')'
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not describes -%}{{ return(tables) }}{%- endif -%}
    {%- set described = run_query(describes | join(' union all ')).rows -%}
    {%- for table in tables if table.is_on and table.is_found -%}
        {%- for row in described if row[0] == table.name -%}
            {%- do table.columns.update({row[1] | string | lower: row[2]}) -%}
        {%- endfor -%}
        {%- do lettershop.compare_columns(table) -%}
        {%- if table.unlike -%}{%- do lettershop.find_uncastable_columns(table) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(tables) }}
{% endmacro %}

{#
    Fills a table's `missing`, `missing_required` and `unlike`. A column is like its contract where
    every value of its DuckDB type has a value in the contract's type: nothing needs to be read to
    know it.

    Args:
        table (dict): see inspect_landing.
#}
{% macro compare_columns(table) %}
    {%- set anything = modules.re.compile('') -%}
    {%- set moments = modules.re.compile('(TIMESTAMP|DATE$|"NULL")') -%}
    {%- set numbers = modules.re.compile(
        '(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL|DOUBLE|FLOAT|BOOLEAN|"NULL")'
    ) -%}
    {%- set like = {'varchar': anything, 'timestamp': moments, 'date': moments} -%}
    {%- for column in table.contract.columns.values() -%}
        {%- if column.name not in table.columns -%}
            {%- do table.missing.append(column.name) -%}
            {%- if column.config.meta.is_required -%}
                {%- do table.missing_required.append(column.name) -%}
            {%- endif -%}
        {%- elif not like.get(column.data_type, numbers).match(table.columns[column.name]) -%}
            {%- do table.unlike.append(column.name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set one_of = table.contract.config.meta.get('one_of', []) -%}
    {%- if one_of and one_of | reject('in', table.columns) | list | length == one_of | length -%}
        {%- do table.missing_required.append('one of ' ~ one_of | join(', ')) -%}
    {%- endif -%}
{% endmacro %}

{#
    A landed column in its contract's type. A number is no moment to DuckDB, not even for try_cast:
    columns unlike their contract go by way of text.

    Args:
        table (dict): see inspect_landing.
        column (str): its name.
    Returns: str, a SQL expression; null where a value does not fit.
#}
{% macro fitting_value(table, column) %}
    {%- set value = 'cast(' ~ column ~ ' as varchar)' if column in table.unlike else column -%}
    {{ return(lettershop.try_cast(value, table.contract.columns[column].data_type) | trim) }}
{% endmacro %}

{#
    Fills the `uncastable` of a table with columns in `unlike`. Reads a column only until the first
    value that fits.

    Args:
        table (dict): see inspect_landing.
#}
{% macro find_uncastable_columns(table) %}
    {%- set selected = [] -%}
    {%- for column in table.unlike -%}
        {%- do selected.append(
            'not exists (select 1 from ' ~ table.relation ~ ' where '
            ~ lettershop.fitting_value(table, column) ~ ' is not null)'
            ~ ' and exists (select 1 from ' ~ table.relation
            ~ ' where trim(cast(' ~ column ~ " as varchar)) <> '')"
        ) -%}
    {%- endfor -%}
    {%- set is_uncastable = run_query('select ' ~ selected | join(', ')).rows[0] -%}
    {%- for column in table.unlike -%}
        {%- if is_uncastable[loop.index0] -%}{%- do table.uncastable.append(column) -%}{%- endif -%}
    {%- endfor -%}
{% endmacro %}

{#
    Rules: tables and columns are there, columns can be read in their types, there are customers,
    and the clock is after the first order.

    Args:
        tables (list of dict): see inspect_landing.
        files (dict): see landing_files.
        clock (datetime): naive, UTC.
    Returns: list of str, a message for each rule that is broken.
#}
{% macro landing_problems(tables, files, clock) %}
    {#- Asked only where there is something to say: dbt compiles a macro at its first call. -#}
    {%- set problems = [] -%}
    {%- if tables | selectattr('is_on') | rejectattr('is_found') | list -%}
        {%- do problems.extend(lettershop.table_problems(tables, files)) -%}
    {%- endif -%}
    {%- if tables | selectattr('missing_required') | list -%}
        {%- do problems.extend(lettershop.column_problems(tables)) -%}
    {%- endif -%}
    {%- if tables | selectattr('uncastable') | list -%}
        {%- do problems.extend(lettershop.type_problems(tables)) -%}
    {%- endif -%}
    {{ return(problems + lettershop.data_problems(tables, clock)) }}
{% endmacro %}

{#
    Parquet in the landing folder that no table of the contract is called by.

    Args:
        tables (list of dict): see inspect_landing.
        files (dict): see landing_files.
    Returns: list of str, names.
#}
{% macro unknown_tables(tables, files) %}
    {{ return(files.tables | reject('in', tables | map(attribute='name') | list) | list) }}
{% endmacro %}

{#
    Rule: required tables are there, and optional ones are there or switched off.

    Args, returns: see landing_problems.
#}
{% macro table_problems(tables, files) %}
    {%- set folder = lettershop.landing_folder() -%}
    {%- set missing = tables | selectattr('is_on') | rejectattr('is_found') | list -%}
    {%- set required = missing | selectattr('is_required') | map(attribute='name') | list -%}
    {%- set optional = missing | rejectattr('is_required') | map(attribute='name') | list -%}
    {%- set unknown = lettershop.unknown_tables(tables, files) -%}
    {%- set problems = [] -%}
    {%- if required -%}
        {%- do problems.append(
            "Required tables are missing in '" ~ folder ~ "': " ~ required | join(', ') ~ '.\nLand'
            ~ ' each as ' ~ folder ~ '/<table>.parquet, one file or a folder of files.'
            ~ (' Not part of the contract, perhaps misspelt: ' ~ unknown | join(', ') ~ '.'
                if unknown else '')
        ) -%}
    {%- endif -%}
    {%- if optional -%}
        {%- do problems.append(
            "Optional tables are missing in '" ~ folder ~ "' and not switched off: "
            ~ optional | join(', ') ~ '.\nLand them, or say in the vars that the shop has none'
            ~ ' (`make check` prints all vars to set):\n  using_'
            ~ optional | join(': false\n  using_') ~ ': false'
        ) -%}
    {%- endif -%}
    {{ return(problems) }}
{% endmacro %}

{#
    Rule: required columns are there, and one of the identifiers where a table names several.

    Args, returns: see landing_problems.
#}
{% macro column_problems(tables) %}
    {%- set lines = [] -%}
    {%- for table in tables if table.missing_required -%}
        {%- do lines.append('  ' ~ table.name ~ ': ' ~ table.missing_required | join(', ')) -%}
    {%- endfor -%}
    {{ return([
        "Required columns are missing in '" ~ lettershop.landing_folder() ~ "':\n"
        ~ lines | join('\n') ~ '\nAdd them where the landing is written. What each column is, says'
        ~ ' models/staging/<source>/_<source>__sources.yml.'
    ]) }}
{% endmacro %}

{#
    Rule: a column with values has one that can be read in the contract's type. Single bad values
    are staging's business.

    Args, returns: see landing_problems.
#}
{% macro type_problems(tables) %}
    {%- set examples = {
        'timestamp': '2018-01-31 05:00:00 in UTC', 'date': '2018-01-31', 'boolean': 'true',
        'bigint': '3', 'integer': '3',
    } -%}
    {%- set lines = [] -%}
    {%- for table in tables -%}
        {%- for column in table.uncastable -%}
            {%- set wanted = table.contract.columns[column].data_type -%}
            {%- do lines.append(
                '  ' ~ table.name ~ '.' ~ column ~ ': is ' ~ table.columns[column] | lower
                ~ ', must be ' ~ wanted ~ ' (such as ' ~ examples.get(wanted, '19.90') ~ ')'
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return([
        "Not one value of these columns in '" ~ lettershop.landing_folder() ~ "' fits its type:\n"
        ~ lines | join('\n') ~ '\nConvert them where the landing is written.'
    ]) }}
{% endmacro %}

{#
    Rules: the CRM has customers, and the clock is after the first order.

    Args, returns: see landing_problems.
#}
{% macro data_problems(tables, clock) %}
    {%- set problems = [] -%}
    {%- set folder = lettershop.landing_folder() -%}
    {%- for table in tables if table.is_found -%}
        {%- if table.name == 'crm_customers' -%}
            {#- With --empty no source shows a row. -#}
            {%- if not flags.EMPTY and not run_query('select 1 from ' ~ table.relation ~ ' limit 1').rows -%}
                {%- do problems.append(
                    'crm_customers has no rows (' ~ folder ~ '/crm_customers.parquet). Any other'
                    ~ ' table may be empty; without customers there is nothing to build: land them.'
                ) -%}
            {%- endif -%}
        {%- elif table.name == 'shop_orders' and 'ordered_at' in table.columns -%}
            {%- set ordered_at = lettershop.fitting_value(table, 'ordered_at') -%}
            {%- set is_before = run_query(
                'select 1 from ' ~ table.relation ~ ' where ' ~ ordered_at ~ " < timestamp '"
                ~ clock ~ "' limit 1"
            ).rows -%}
            {%- if not is_before -%}
                {%- set range = run_query(
                    'select min(ordered_at), max(ordered_at) from (select ' ~ ordered_at
                    ~ ' as ordered_at from ' ~ table.relation ~ ')'
                ).rows[0] -%}
                {%- if range[0] is not none -%}
                    {%- do problems.append(
                        'The clock is before all orders: as_of_at is ' ~ clock
                        ~ ' (UTC), and shop_orders.ordered_at runs from ' ~ range[0] ~ ' to '
                        ~ range[1] ~ '.\nSet the var as_of_at to a time after the first of them;'
                        ~ ' left out, it is the start of the run.'
                    ) -%}
                {%- endif -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{% endmacro %}
