{#
    Prints what the landing holds of every table of the contract and all that is wrong with it:
    `dbt run-operation check_landing`, or `make check`. Changes nothing. Where the run was started
    without the vars of the landing's vars.yml, they are read from the file.

    No value of a column is printed, except unknown words in columns that hold categories.

    Errors: at the end, where something would stop a build.
#}
{% macro check_landing() %}
    {%- if target.type != 'duckdb' -%}
        {%- do exceptions.raise_compiler_error(
            'check_landing reads a landing of parquet files: run it on a DuckDB target.'
        ) -%}
    {%- endif -%}
    {%- set files = lettershop.landing_files() -%}
    {%- set problems = lettershop.folder_problems(files) -%}
    {%- if not problems -%}
        {%- set instead = {} -%}
        {%- for name in lettershop.forgotten_vars(files) -%}
            {%- do instead.update({name: files.vars[name]}) -%}
        {%- endfor -%}
        {%- set settings = lettershop.run_settings(instead) -%}
        {%- set clock = lettershop.landing_clock(instead) -%}
        {%- if clock is none -%}
            {%- do problems.append(
                'The clock is not a time: ' ~ lettershop.landing_folder() ~ '/vars.yml says'
                ~ ' as_of_at: ' ~ lettershop.quoted(instead.as_of_at)
                ~ ". Give a UTC timestamp such as '2018-01-01 05:00:00'."
            ) -%}
            {%- set clock = run_started_at.replace(tzinfo=none, microsecond=0) -%}
        {%- endif -%}
        {%- if files.vars is not none and files.vars is not mapping -%}
            {%- do problems.extend(lettershop.vars_problems(files)) -%}
        {%- endif -%}
        {%- set tables = lettershop.inspect_landing(files, settings) -%}
        {%- do problems.extend(lettershop.setting_problems(settings)) -%}
        {%- do problems.extend(lettershop.own_problems()) -%}
        {%- do problems.extend(lettershop.landing_problems(tables, files, clock)) -%}
        {%- do lettershop.report_landing(tables, files, settings, clock) -%}
    {%- endif -%}
    {%- if problems -%}
        {%- do print('What would stop a build:') -%}
        {%- for problem in problems -%}
            {%- do print('\n' ~ loop.index ~ '. ' ~ problem | indent(3)) -%}
        {%- endfor -%}
        {%- set verdict = 'check: ' ~ problems | length
            ~ (' problem' if problems | length == 1 else ' problems') -%}
        {%- do print('\n' ~ verdict) -%}
        {%- do exceptions.raise_compiler_error(verdict) -%}
    {%- endif -%}
    {%- do print('check: OK') -%}
{% endmacro %}

{#
    The clock that a build on the landing would have.

    Args:
        instead (dict): vars that only vars.yml gives.
    Returns: datetime, naive, UTC; none where vars.yml gives one that is no time.
#}
{% macro landing_clock(instead) %}
    {%- if instead.get('as_of_at') is none -%}{{ return(lettershop._clock()) }}{%- endif -%}
    {{ return(
        run_query(
            "select try_cast('" ~ instead.as_of_at | string | replace("'", "''") ~ "' as timestamp)"
        ).rows[0][0]
    ) }}
{% endmacro %}

{#
    The report, from where the landing is to the vars that it needs.

    Args:
        tables (list of dict), files (dict): see inspect_landing, landing_files.
        settings (dict): see run_settings.
        clock (datetime): naive, UTC.
#}
{% macro report_landing(tables, files, settings, clock) %}
    {%- do print('Landing ' ~ lettershop.landing_folder()) -%}
    {%- do print(
        'clock ' ~ clock ~ ' UTC' ~ (' (now)' if settings.as_of_at is none else '')
        ~ ', days in ' ~ settings.shop_timezone ~ ', money in ' ~ settings.base_currency
    ) -%}
    {%- if lettershop.forgotten_vars(files) -%}
        {%- do print(
            'vars.yml was not passed to this run (--vars); its values are used all the same'
        ) -%}
    {%- endif -%}
    {%- set newest = {'event': none, 'table': none} -%}
    {%- for table in tables -%}
        {%- do lettershop.report_table(table, newest) -%}
    {%- endfor -%}
    {%- do print('') -%}
    {%- for name in lettershop.unknown_tables(tables, files) -%}
        {%- do print('note: ' ~ name ~ '.parquet is not part of the contract and is not read') -%}
    {%- endfor -%}
    {%- if newest.event is not none and (clock - newest.event).days >= 7 -%}
        {%- do print(
            'warning: the newest event (' ~ newest.table ~ ', ' ~ newest.event ~ ') is '
            ~ (clock - newest.event).days ~ ' days older than the clock.\n  Is the loader running,'
            ~ ' and is as_of_at what you want?'
        ) -%}
    {%- endif -%}
    {%- do lettershop.report_vars(tables, files, settings) -%}
{% endmacro %}

{#
    One table's part of the report.

    Args:
        table (dict): see inspect_landing.
        newest (dict): `event` and `table`, the newest event so far; brought up to date.
#}
{% macro report_table(table, newest) %}
    {%- set title = '\n' ~ table.name
        ~ (' (required): ' if table.is_required else ' (optional): ') -%}
    {%- set without = lettershop.consequences().get(table.name) -%}
    {%- if not table.is_on or not table.is_found -%}
        {%- do print(
            title ~ ('there' if table.is_found else 'not there')
            ~ (', switched off' if not table.is_on else '')
            ~ (' by using_' ~ table.name ~ ': false' if table.is_found else '')
        ) -%}
        {%- if table.is_on -%}
            {%- do print(
                '  ERROR missing' ~ ('' if table.is_required else ' and not switched off')
            ) -%}
        {%- endif -%}
        {%- if without -%}{%- do print('  without it: ' ~ without) -%}{%- endif -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set facts = lettershop.landing_facts(table) -%}
    {%- do print(title ~ lettershop.counted(facts.rows, 'row')) -%}
    {%- set event_time = table.contract.config.meta.event_time -%}
    {%- if facts.first is not none -%}
        {%- do print('  ' ~ event_time ~ ' from ' ~ facts.first ~ ' to ' ~ facts.last) -%}
        {#- An event table's time is required; that of a catalogue says nothing about events. -#}
        {%- if (
            table.contract.columns[event_time].config.meta.is_required
            and table.name != 'fx_rates'
            and (newest.event is none or facts.last > newest.event)
        ) -%}
            {%- do newest.update({'event': facts.last, 'table': table.name}) -%}
        {%- endif -%}
    {%- endif -%}
    {%- if facts.newest is not none -%}{%- do print('  newest row ' ~ facts.newest) -%}{%- endif -%}
    {%- for column in table.missing_required -%}
        {%- do print('  ERROR required column missing: ' ~ column) -%}
    {%- endfor -%}
    {%- set missing = table.missing | reject('in', table.missing_required) | list -%}
    {%- if missing -%}
        {%- do print(lettershop.wrapped('  not there (optional): ' ~ missing | join(', '))) -%}
    {%- endif -%}
    {%- if facts.nulls -%}
        {%- do print(lettershop.wrapped('  empty: ' ~ facts.nulls | join(', '))) -%}
    {%- endif -%}
    {%- for column, count in facts.bad.items() if count -%}
        {%- do print(
            '  ' ~ ('ERROR' if column in table.uncastable else 'warning') ~ ' ' ~ column ~ ': '
            ~ ('no value' if column in table.uncastable else lettershop.counted(count, 'value'))
            ~ (' fits ' if column in table.uncastable else ' not of type ')
            ~ table.contract.columns[column].data_type
            ~ ' (landed as ' ~ table.columns[column] | lower ~ ')'
        ) -%}
    {%- endfor -%}
    {%- if facts.rows == 0 and table.name == 'crm_customers' -%}
        {%- do print('  ERROR no rows') -%}
    {%- elif facts.rows == 0 and without -%}
        {%- do print('  while it is empty: ' ~ without) -%}
    {%- endif -%}
    {%- do lettershop.report_unknown_words(table) -%}
    {%- if table.name == 'customer_attributes' and 'attribute_name' in table.columns -%}
        {%- do lettershop.report_attributes(table) -%}
    {%- endif -%}
{% endmacro %}

{#
    What one query says about a table.

    Args:
        table (dict): see inspect_landing.
    Returns: dict: rows (int); first, last (datetime: the event time's range); newest (datetime: of
        loaded_at, updated_at and the event time); nulls (list of str, 'column share%'); bad (dict
        of column to the number of values that do not fit its type).
#}
{% macro landing_facts(table) %}
    {%- set contract = table.contract -%}
    {%- set event_time = contract.config.meta.get('event_time') -%}
    {%- set moments = [] -%}
    {%- for column in ['loaded_at', 'updated_at', event_time] -%}
        {%- if column in table.columns -%}
            {%- do moments.append(
                'max(cast(' ~ lettershop.fitting_value(table, column) ~ ' as timestamp))'
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set selected = ['count(*)'] -%}
    {%- if event_time in table.columns -%}
        {%- set event = 'cast(' ~ lettershop.fitting_value(table, event_time) ~ ' as timestamp)' -%}
        {%- do selected.extend(['min(' ~ event ~ ')', 'max(' ~ event ~ ')']) -%}
    {%- else -%}
        {%- do selected.extend(['null', 'null']) -%}
    {%- endif -%}
    {%- do selected.append('greatest(' ~ moments | join(', ') ~ ')' if moments else 'null') -%}
    {%- set present = contract.columns | select('in', table.columns) | list -%}
    {%- for column in present -%}
        {%- set is_empty = column ~ ' is null' -%}
        {%- if table.columns[column] == 'VARCHAR' -%}
            {%- set is_empty = is_empty ~ ' or trim(' ~ column ~ ") = ''" -%}
        {%- endif -%}
        {%- do selected.append('count(*) filter (where ' ~ is_empty ~ ')') -%}
    {%- endfor -%}
    {%- for column in table.unlike -%}
        {%- do selected.append(
            'count(*) filter (where ' ~ lettershop.fitting_value(table, column)
            ~ ' is null and trim(cast(' ~ column ~ " as varchar)) <> '')"
        ) -%}
    {%- endfor -%}
    {%- set row = run_query(
        'select ' ~ selected | join(', ') ~ ' from ' ~ table.relation
    ).rows[0] -%}
    {%- set facts = {
        'rows': row[0] | int, 'first': row[1], 'last': row[2], 'newest': row[3],
        'nulls': [], 'bad': {},
    } -%}
    {%- for column in present -%}
        {%- set count = row[4 + loop.index0] | int -%}
        {%- if count -%}
            {%- do facts.nulls.append(column ~ ' ' ~ lettershop.percentage(count, facts.rows)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for column in table.unlike -%}
        {%- do facts.bad.update({column: row[4 + present | length + loop.index0] | int}) -%}
    {%- endfor -%}
    {{ return(facts) }}
{% endmacro %}

{#
    Words in a table's category columns that neither are the contract's nor known as another name
    for one of them. Where there are many, the column holds no categories: they stay unprinted.

    Args:
        table (dict): see inspect_landing.
#}
{% macro report_unknown_words(table) %}
    {%- for column in table.contract.columns.values() -%}
        {%- set domain = column.config.meta.get('domain') -%}
        {%- if domain and column.name in table.columns -%}
            {%- set known = [] -%}
            {%- for word, aliases in lettershop.value_domains()[domain].items() -%}
                {%- do known.extend([word] + aliases) -%}
            {%- endfor -%}
            {%- set rows = run_query(
                'select lower(trim(cast(' ~ column.name ~ ' as varchar))) as word, count(*) as n'
                ~ ' from ' ~ table.relation ~ ' group by word'
                ~ " having word <> '' and word not in ('" ~ known | join("', '") ~ "')"
                ~ ' order by n desc, word limit 21'
            ).rows -%}
            {%- if rows | length > 20 -%}
                {%- do print(lettershop.wrapped(
                    '  warning ' ~ column.name ~ ': more than 20 unknown values; it should hold '
                    ~ lettershop.value_domains()[domain] | join(', ')
                )) -%}
            {%- elif rows -%}
                {%- set words = [] -%}
                {%- for row in rows -%}
                    {%- do words.append(
                        "'" ~ (row[0] | string)[:40] ~ "' x " ~ '{:,}'.format(row[1] | int)
                    ) -%}
                {%- endfor -%}
                {%- do print(lettershop.wrapped(
                    '  warning ' ~ column.name ~ ': unknown ' ~ words | join(', ') ~ '; known are '
                    ~ lettershop.value_domains()[domain] | join(', ')
                )) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{#
    Which own attributes of the landing attribute_catalog admits, which it does not, and which of its
    own the landing lacks. A name that none could have, such as an address in the wrong column, is
    counted and not printed.

    Args:
        table (dict): customer_attributes; see inspect_landing.
#}
{% macro report_attributes(table) %}
    {%- set seed = lettershop.seed_rows(lettershop.seed_files(), 'attribute_catalog') -%}
    {%- set known = (seed.rows if seed else []) | map(attribute='attribute_name') | list -%}
    {%- set rows = run_query(
        'select lower(trim(cast(attribute_name as varchar))) as name, count(*) as n from '
        ~ table.relation ~ " group by name having name <> '' order by n desc, name"
    ).rows -%}
    {%- set landed, others, unprinted = [], [], [] -%}
    {%- for row in rows -%}
        {%- do landed.append(row[0]) -%}
        {%- set is_name = modules.re.match('^[\\w .:-]{1,50}$', row[0]) -%}
        {%- if row[0] not in known and is_name and others | length < 20 -%}
            {%- do others.append(row[0] ~ ' (' ~ lettershop.counted(row[1] | int, 'row') ~ ')') -%}
        {%- elif row[0] not in known -%}
            {%- do unprinted.append(row[0]) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if unprinted -%}
        {%- do others.append(lettershop.counted(unprinted | length, 'name') ~ ' not shown') -%}
    {%- endif -%}
    {%- set lacking = known | reject('in', landed) | list -%}
    {%- do print(lettershop.wrapped(
        '  attributes: ' ~ (known | length - lacking | length) ~ ' admitted'
        ~ ('; not in attribute_catalog: ' ~ others | join(', ') if others else '')
        ~ (
            '; in attribute_catalog and not in the landing: ' ~ lacking | join(', ')
            if lacking else ''
        )
    )) -%}
{% endmacro %}

{#
    The vars that a build on this landing needs, ready to be saved beside it.

    Args:
        tables (list of dict), files (dict), settings (dict): see report_landing.
#}
{% macro report_vars(tables, files, settings) %}
    {%- set lines = dict(files.vars) if files.vars is mapping else {} -%}
    {%- for name in ['as_of_at', 'shop_timezone', 'base_currency', 'profiling_basis'] -%}
        {%- do lines.update({name: settings[name]}) -%}
    {%- endfor -%}
    {%- for table in tables if not table.is_required -%}
        {%- set name = 'using_' ~ table.name -%}
        {%- if not table.is_on or not table.is_found -%}
            {%- do lines.update({name: false}) -%}
        {%- elif name in lines -%}
            {%- do lines.update({name: true}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do print(
        '\nvars: (to be saved as ' ~ lettershop.landing_folder()
        ~ '/vars.yml, or under vars in dbt_project.yml)\n'
    ) -%}
    {%- do print('  ' ~ toyaml(lines) | trim | indent(2) ~ '\n') -%}
{% endmacro %}

{#
    What a shop cannot know without an optional table.

    Returns: dict of table to words.
#}
{% macro consequences() %}
    {{ return({
        'shop_refunds': 'net revenue has no refunds, and orders refunded in full still count',
        'web_events': 'no browsing is known',
        'esp_campaigns': 'campaigns have no names, kinds or costs',
        'esp_events': 'no messages are known; bounces, complaints and unsubscribes are'
            ~ ' not seen',
        'esp_contacts': 'no leads from the ESP, and what it suppresses or was sent is not compared',
        'consent_events': 'nobody has opted in or objected: only what permission_rules allow'
            ~ ' unasked is sent',
        'erasure_requests': 'nobody is erased',
        'social_interactions': 'no interactions on social networks are known',
        'service_interactions': 'contacts with customer service count nowhere',
        'coupon_redemptions': 'who redeems coupons is unknown',
        'customer_attributes': 'columns of your own (loyalty tier, store) reach no segment and'
            ~ ' no profile',
        'fx_rates': 'orders in other currencies than base_currency are rejected',
    }) }}
{% endmacro %}

{#
    A line of the report, broken where it is longer than a screen is wide.

    Args:
        line (str).
    Returns: str.
#}
{% macro wrapped(line) %}
    {{ return('  ' ~ line | trim | wordwrap(96, wrapstring='\n      ', break_long_words=false)) }}
{% endmacro %}

{#
    A number and what it counts.

    Args:
        number (int), noun (str): the noun in the singular.
    Returns: str, e.g. '1,204 rows'.
#}
{% macro counted(number, noun) %}
    {{ return('{:,}'.format(number) ~ ' ' ~ noun ~ ('' if number == 1 else 's')) }}
{% endmacro %}

{#
    A share in words that never round to nothing or to all.

    Args:
        part (int), whole (int).
    Returns: str, e.g. '12.5%'.
#}
{% macro percentage(part, whole) %}
    {%- set share = 100.0 * part / whole -%}
    {%- if part == whole -%}{{ return('100%') }}{%- endif -%}
    {%- if share < 0.1 -%}{{ return('<0.1%') }}{%- endif -%}
    {%- if share > 99.9 -%}{{ return('>99.9%') }}{%- endif -%}
    {{ return('%.1f' % share ~ '%') }}
{% endmacro %}
