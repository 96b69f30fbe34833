{#
    Pre-hook of an incremental base model of events: takes out of the table whatever this run must
    judge anew, and keeps it in a temporary table (see `restated`) for the model to judge together
    with what was landed since.

    - The newest load is forgotten, and so is every row without loaded_at: they are read again,
      since a loader may still be writing that load, and nothing says how old the others are.
    - If the landing no longer has as many older rows as the table, a load was rewritten or arrived
      late: everything is forgotten, and read again.
    - Taken out: every version of an event of which there is a new one; events that the clock has
      passed since, in either direction; rows that will be or were deleted; rows of people who asked
      to be erased; rows that have expired since.

    Args:
        relation (Relation): the base model.
        source_name (str), table_name (str): see `landing_contract`.
        identifiers (list of str): the columns that identify a person.
        event_at (str), key (str): columns. The fingerprint of store and key is `event_hash`.
        unless (str): see `is_expired`; over the alias `source`.
    Returns: str, SQL statements; none before the first build.
#}
{% macro reopen_versions(
    relation, source_name, table_name, identifiers, event_at='occurred_at', key='event_id',
    unless='false'
) -%}
    {%- if execute and is_incremental() -%}
        {%- set landing -%}
            {{ lettershop.landing(source_name, table_name, is_hashed=false) }} as landed
        {%- endset -%}
        {#- Asked here, and written as literals below: an engine that knows the time before it
            begins does not read what is older. -#}
        {%- set newest = lettershop.answer(
            'select cast(max(loaded_at) as varchar) from ' ~ relation
        ) -%}
        {%- set is_newest = "loaded_at is null or loaded_at >= timestamp '" ~ newest ~ "'" -%}
        {%- set is_older = "loaded_at < timestamp '" ~ newest ~ "'" -%}
        {%- set is_whole = newest is none or lettershop.answer(
            'select (select count(*) from ' ~ landing ~ ' where ' ~ is_older ~ ')'
            ~ ' <> (select count(*) from ' ~ relation ~ ' where ' ~ is_older ~ ')'
        ) -%}
        {%- set newly_erased = run_query(
            'select count(*) > 0, count(*) > count(identifier) from '
            ~ ref('stg_consent__erasure_requests') ~ ' where is_new'
        ).rows[0] %}
        delete from {{ relation }}
        where {{ 'true' if is_whole else is_newest }};
        create or replace temporary table {{ lettershop.landed(relation) }} as
        select * from {{ landing }}
        where {{ 'true' if is_whole else is_newest }};
        create or replace temporary table {{ lettershop.reopened(relation) }} as
        select {{ lettershop.fingerprint(['store', key]) }} as key_hash
        from {{ lettershop.landed(relation) }}
        where {{ key }} is not null
        union
        select source.event_hash as key_hash
        from {{ relation }} as source
        where
            source.deleted_at is not null
            or (source.row_status = 'not_yet') <> (source.{{ event_at }} >= {{ as_of_at() }})
            or {{ lettershop.is_expired(table_name, 'source.' ~ event_at, unless) }}
        {%- if newly_erased[0] %}
        {{- lettershop.newly_erased_keys(relation, identifiers, 'event_hash', newly_erased[1]) }}
        {%- endif %};
        {%- set is_reopened -%}
            event_hash in (select key_hash from {{ lettershop.reopened(relation) }})
            and row_status not in ('withheld', 'expired')
        {%- endset %}
        create or replace temporary table {{ lettershop.restated(relation) }} as
        {{ lettershop.whole_rows(relation, is_reopened) }};
        delete from {{ relation }}
        where {{ is_reopened }};
    {%- endif -%}
{%- endmacro %}

{#
    The one value that a query returns, while the macro that asks is rendered.

    Args:
        query (str): of one row and column.
    Returns: the value, as the engine's driver gives it; none for null.
#}
{% macro answer(query) -%}
    {{ return(run_query(query).rows[0][0]) }}
{%- endmacro %}

{#
    What of the landing an incremental base model must read: all of it in a full build, else what
    reopen_versions found to be new.

    Args:
        relation (Relation): the base model.
        source_name (str), table_name (str): see `landing_contract`.
        key (list of str), key_hashes (str): see `landing`; a full build leaves the other rows out.
    Returns: str, a query in parentheses, or a table's name.
#}
{% macro newly_landed(relation, source_name, table_name, key=none, key_hashes=none) -%}
    {%- if is_incremental() -%}
    {{ lettershop.landed(relation) }}
    {%- else -%}
    {{ lettershop.landing(
        source_name, table_name, is_hashed=false, key=key, key_hashes=key_hashes
    ) }}
    {%- endif -%}
{%- endmacro %}

{#
    Temporary tables of reopen_versions: the rows that are new, and the hashes of the keys of which
    every version is judged anew; rows without a key are one key per store.

    Args:
        relation (Relation): the base model.
    Returns: str, the table's name.
#}
{% macro landed(relation) -%}
    {{ lettershop.temporary_table(relation, 'landed') }}
{%- endmacro %}

{% macro reopened(relation) -%}
    {{ lettershop.temporary_table(relation, 'reopened') }}
{%- endmacro %}

{#
    What reopen_versions took out of the table, as rows to judge again beside the newly landed.

    Args:
        relation (Relation): the base model.
        columns (list of str): what staging keeps of a row.
    Returns: str, the second half of a union; nothing in a full build.
#}
{% macro and_reopened(relation, columns) -%}
    {%- if is_incremental() -%}
    union all by name
    select
        {%- for column in columns %}
        {{ column }},
        {%- endfor %}
        loaded_at,
        deleted_at,
        reject_reason,
        unusable_columns
    from {{ lettershop.restated(relation) }}
    {%- endif -%}
{%- endmacro %}

{#
    The keys of everything that an incremental base model judges in this run.

    Args:
        relation (Relation): the base model.
        source_name (str), table_name (str): see `landing_contract`.
        key (str): column.
    Returns: str, a query of key_hash; rows without a key have none.
#}
{% macro candidate_keys(relation, source_name, table_name, key='event_id') -%}
    select {{ lettershop.fingerprint(['store', key]) }} as key_hash
    from {{ lettershop.newly_landed(relation, source_name, table_name) }} as landed
    where {{ key }} is not null
    {%- if is_incremental() %}
    union all
    select {{ lettershop.fingerprint(['store', key]) }} as key_hash
    from {{ lettershop.restated(relation) }}
    where {{ key }} is not null
    {%- endif -%}
{%- endmacro %}
