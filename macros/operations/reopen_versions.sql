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
        event_at (str), key (str): columns.
        unless (str): see `is_expired`; over the alias `source`.
    Returns: str, SQL statements; none before the first build.
#}
{% macro reopen_versions(
    relation, source_name, table_name, identifiers, event_at='occurred_at', key='event_id',
    unless='false'
) -%}
    {%- if execute and is_incremental() -%}
        {%- set pairs = {} -%}
        {%- for column in identifiers -%}
            {%- do pairs.update({column: 'source.' ~ column}) -%}
        {%- endfor %}
        delete from {{ relation }}
        where
            loaded_at is null
            or loaded_at = (select max(loaded_at) from {{ relation }})
            or (
                select count(*) from {{ lettershop.landing(source_name, table_name, is_hashed=false) }} as landed
                where loaded_at < (select max(loaded_at) from {{ relation }})
            ) <> (
                select count(*) from {{ relation }}
                where loaded_at < (select max(loaded_at) from {{ relation }})
            );
        create or replace temporary table {{ lettershop.restated(relation) }} as
        select source.* from {{ relation }} as source
        left join (
            select distinct
                store,
                {{ key }}
            from {{ lettershop.landing(source_name, table_name, is_hashed=false) }} as landed
            where coalesce(loaded_at > (select max(loaded_at) from {{ relation }}), true)
        ) as landed
            on source.store = landed.store and source.{{ key }} = landed.{{ key }}
        {{ lettershop.erased_joins('source', pairs, only_new=true) }}
        where
            landed.{{ key }} is not null
            or source.deleted_at is not null
            or (source.row_status = 'not_yet') <> (source.{{ event_at }} >= {{ as_of_at() }})
            or {{ lettershop.is_erased(pairs, 'source.' ~ event_at) }}
            or {{ lettershop.is_expired(table_name, 'source.' ~ event_at, unless) }};
        insert into {{ lettershop.restated(relation) }}
        select source.* from {{ relation }} as source
        inner join (
            select distinct
                store,
                {{ key }}
            from {{ lettershop.restated(relation) }}
        ) as reopened
            on source.store = reopened.store and source.{{ key }} = reopened.{{ key }}
        where not exists (
            select 1 from {{ lettershop.restated(relation) }} as restated
            where restated.store = source.store and restated.{{ key }} = source.{{ key }}
        );
        {{ lettershop.delete_restated(relation, ['store', key]) }}
    {%- endif -%}
{%- endmacro %}

{#
    The condition that a landed row is new to an incremental base model; true in a full build.

    Args:
        relation (Relation): the base model.
    Returns: str, a SQL expression of type boolean over the landing's columns.
#}
{% macro is_newly_landed(relation) -%}
    {%- if is_incremental() -%}
    coalesce(
        loaded_at > (
            select coalesce(max(known.loaded_at), timestamp '1900-01-01 00:00:00')
            from (
                select loaded_at from {{ relation }}
                union all
                select loaded_at from {{ lettershop.restated(relation) }}
            ) as known
        ),
        true
    )
    {%- else -%}
    true
    {%- endif -%}
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
    Returns: str, a query of store and key.
#}
{% macro candidate_keys(relation, source_name, table_name, key='event_id') -%}
    select
        store,
        {{ key }}
    from {{ lettershop.landing(source_name, table_name, is_hashed=false) }} as landed
    where {{ lettershop.is_newly_landed(relation) }}
    {%- if is_incremental() %}
    union all
    select
        store,
        {{ key }}
    from {{ lettershop.restated(relation) }}
    {%- endif -%}
{%- endmacro %}
