{#
    The contract of a landing table, as models/staging/<source>/_<source>__sources.yml states it.

    Args:
        source_name (str): e.g. 'shop'.
        table_name (str): e.g. 'shop_orders'.
    Returns: the source's node from dbt's graph, none while parsing.
#}
{% macro landing_contract(source_name, table_name) %}
    {%- if not execute -%}{{ return(none) }}{%- endif -%}
    {{ return(graph.sources.get('source.lettershop.' ~ source_name ~ '.' ~ table_name)) }}
{% endmacro %}

{#
    A landing table as a subquery whose columns are the contract's, all of them, in its types:

    - text trimmed, '' as null; `store` is 'main' where absent;
    - a value that does not fit its type is null and its column is named in `uncastable_columns`
      (comma-separated, null where all fit), so that nothing disappears uncounted;
    - `row_hash` is a hash of the whole row, the last tie-breaker between versions (left out where
      `is_hashed` is false: it costs more than reading the row);
    - a column that the table lacks, and a table switched off by using_<table>, are typed nulls.

    Args:
        source_name (str), table_name (str): see landing_contract.
        is_hashed (bool).
        key (list of str), key_hashes (str): where given, columns, and a query of their fingerprints:
            other rows are left out before anything is made of them.
    Returns: str, a parenthesised query.
#}
{% macro landing(source_name, table_name, is_hashed=true, key=none, key_hashes=none) %}
    {%- set landed = lettershop.landing_rows(source_name, table_name) -%}
    {%- set contract = lettershop.landing_contract(source_name, table_name) -%}
    {%- if contract is none -%}{{ return('(select 1)') }}{%- endif -%}
    {%- set columns = contract.columns.values() | list -%}
    (
    select
        {%- for column in columns %}
        {%- if column.data_type == 'varchar' %}
        {{ lettershop.landed_text(column.name) }} as {{ column.name }},
        {%- else %}
        {{ lettershop.try_cast(column.name, column.data_type) }} as {{ column.name }},
        {%- endif %}
        {%- endfor %}
        nullif(
            ''
            {%- for column in columns if column.data_type != 'varchar' %}
            || case
                when
                    {{ lettershop.try_cast(column.name, column.data_type) }} is null
                    and {{ column.name }} is not null
                    and trim(cast({{ column.name }} as varchar)) <> ''
                    then '{{ column.name }},'
                else ''
            end
            {%- endfor %},
            ''
        ) as uncastable_columns
        {%- if is_hashed %},
        md5(
            ''
            {%- for column in columns %}
            || coalesce(cast({{ column.name }} as varchar), '-') || '|'
            {%- endfor %}
        ) as row_hash
        {%- endif %}
    from {{ landed }} as landed
    {%- if key_hashes is not none %}
    {%- set named = [] -%}
    {%- for column in key -%}{%- do named.append(lettershop.landed_text(column)) -%}{%- endfor %}
    where {{ lettershop.fingerprint(named) }} in ({{ key_hashes }})
    {%- endif %}
    )
{%- endmacro %}

{#
    A text column of a landing table as staging takes it.

    Args:
        column (str).
    Returns: str, a SQL expression of type text.
#}
{% macro landed_text(column) -%}
    {%- if column == 'store' -%}
    coalesce(nullif(trim(cast(store as varchar)), ''), 'main')
    {%- else -%}
    nullif(trim(cast({{ column }} as varchar)), '')
    {%- endif -%}
{%- endmacro %}

{#
    A landing table as it lies there, for counting: every column of the contract, those that the
    table lacks as nulls, and no rows where it is switched off.

    Args:
        source_name (str), table_name (str): see landing_contract.
    Returns: str, a parenthesised query.
#}
{% macro landing_rows(source_name, table_name) %}
    {%- set relation = source(source_name, table_name) -%}
    {%- set contract = lettershop.landing_contract(source_name, table_name) -%}
    {%- if contract is none -%}{{ return('(select 1)') }}{%- endif -%}
    (
        {%- if lettershop.landing_is_on(source_name, table_name) %}
        select * from {{ relation }}
        union all by name
        {%- endif %}
        select
            {%- for column in contract.columns.values() %}
            {{ lettershop.no_value(column.data_type) }} as {{ column.name }}{{ ',' if not loop.last }}
            {%- endfor %}
        where 1 = 0
    )
{%- endmacro %}

{#
    Whether the shop has a landing table: a required one, or one that is not switched off.

    Args:
        source_name (str), table_name (str): see landing_contract.
    Returns: bool, true while parsing.
#}
{% macro landing_is_on(source_name, table_name) %}
    {%- set contract = lettershop.landing_contract(source_name, table_name) -%}
    {{ return(
        contract is none or contract.config.meta.is_required or var('using_' ~ table_name)
    ) }}
{% endmacro %}
