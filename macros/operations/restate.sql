{#
    The keys that an incremental model restates in this run: a temporary table, made by its
    pre-hook in the model's own transaction, so that a run that is stopped leaves nothing behind.

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

    Keys are known by their hash, which is quicker to group than what they are made of. Two keys
    that share one are restated together.

    Args:
        relation (Relation): the model; needs the column `fingerprint`.
        key (list of str): columns of the model.
        made_from (str): a query of `key_hash`, the fingerprint of the key, and the fingerprint of all
            rows of the key.
        is_repeated (bool): whether every row carries the fingerprint of its key; else those of a
            key's rows add up to it.
    Returns: str, SQL statements; none before the first build.
#}
{% macro restate_changed(relation, key, made_from, is_repeated=false) -%}
    {%- if execute and is_incremental() -%}
        create or replace temporary table {{ lettershop.restated(relation) }} as
        select
            coalesce(now_made.key_hash, once_made.key_hash) as key_hash,
            now_made.fingerprint
        from ({{ made_from }}) as now_made
        full outer join (
            select
                {{ lettershop.fingerprint(key) }} as key_hash,
                {{ 'max(fingerprint)' if is_repeated else lettershop.fingerprint_of_all('fingerprint') }}
                    as fingerprint
            from {{ relation }}
            group by {{ lettershop.fingerprint(key) }}
        ) as once_made on now_made.key_hash = once_made.key_hash
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
    Returns: str, a query of key_hash and fingerprint.
#}
{% macro restated_fingerprints(relation, made_from) -%}
    {%- if is_incremental() -%}
    select * from {{ lettershop.restated(relation) }}
    {%- else -%}
    {{ made_from }}
    {%- endif -%}
{%- endmacro %}

{#
    The condition that a row belongs to a key that this run restates; true in a full build.

    Args:
        relation (Relation): the model.
        key (list of str): columns of the query, as the model's.
    Returns: str, a SQL expression of type boolean.
#}
{% macro is_restated(relation, key) -%}
    {%- if is_incremental() -%}
    {{ lettershop.fingerprint(key) }} in (
        select key_hash from {{ lettershop.restated(relation) }}
    )
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}
