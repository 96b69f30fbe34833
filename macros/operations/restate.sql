{#
    The keys that an incremental model restates in this run: a temporary table, made by its
    pre-hook. On DuckDB that is in the model's own transaction, so that a run that is stopped leaves
    nothing behind. On Snowflake it leaves rows deleted, which the next run finds missing and restates.

    Args:
        relation (Relation): the model.
    Returns: str, the table's name.
#}
{% macro restated(relation) -%}
    {{ lettershop.temporary_table(relation, 'restated') }}
{%- endmacro %}

{#
    Pre-hook of a model whose rows are made from other rows, a key at a time: finds every key whose
    rows are no longer those that the model's rows were made from, and deletes what was made of
    them. The model then makes them anew and appends. What is compared are fingerprints, kept
    beside the rows: nothing needs to be remembered between runs, whatever stopped the last one, and
    it does not matter why a row changed: it came late, was corrected, changed hands or was erased.

    A key is one column, so that an engine can look for it before it reads the rest of a row. Where it
    is made of several, it is their fingerprint; two keys that share one are restated together.

    Args:
        relation (Relation): the model; needs the column `fingerprint`.
        key (str): a column of the model.
        made_from (str): a query of `changed_key`, every key that the model is made from, and the
            fingerprint of all rows of the key.
        is_repeated (bool): whether every row carries the fingerprint of its key; else those of a
            key's rows add up to it.
    Returns: str, SQL statements; none before the first build.
#}
{% macro restate_changed(relation, key, made_from, is_repeated=false) -%}
    {%- if execute and is_incremental() -%}
        create or replace temporary table {{ lettershop.restated(relation) }} as
        select
            coalesce(now_made.changed_key, once_made.changed_key) as changed_key,
            now_made.fingerprint
        from ({{ made_from }}) as now_made
        full outer join (
            select
                {{ key }} as changed_key,
                {{ 'max(fingerprint)' if is_repeated else lettershop.fingerprint_of_all('fingerprint') }}
                    as fingerprint
            from {{ relation }}
            group by {{ key }}
        ) as once_made on now_made.changed_key = once_made.changed_key
        where now_made.fingerprint is distinct from once_made.fingerprint;
        delete from {{ relation }}
        where {{ lettershop.is_restated(relation, key) }};
    {%- endif -%}
{%- endmacro %}

{#
    The fingerprint of every key that this run makes rows of.

    Args:
        relation (Relation): the model.
        made_from (str): see `restate_changed`.
    Returns: str, a query of changed_key and fingerprint.
#}
{% macro restated_fingerprints(relation, made_from) -%}
    {%- if is_incremental() -%}
    select * from {{ lettershop.restated(relation) }}
    {%- else -%}
    {{ made_from }}
    {%- endif -%}
{%- endmacro %}

{#
    The condition that a row belongs to a key that this run restates; in a full build, to any.

    Args:
        relation (Relation): the model.
        key (str): a column of the query.
    Returns: str, a SQL expression of type boolean.
#}
{% macro is_restated(relation, key) -%}
    {%- if is_incremental() -%}
    {{ key }} in (
        select changed_key from {{ lettershop.restated(relation) }}
    )
    {%- else -%}
    {{ key }} is not null
    {%- endif -%}
{%- endmacro %}
