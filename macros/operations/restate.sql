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

    Those of a key's rows add up to the same on both sides, so that all of them together add up to
    nothing. A key is one column, so that an engine can look for it before it reads the rest of a
    row. Where it is made of several, it is their fingerprint; two keys that share one are restated
    together.

    Args:
        relation (Relation): the model; needs the column `fingerprint`.
        key (str): a column of the model.
        made_from (str): a query of `changed_key` and `fingerprint`: the rows that the model is made
            from, or sums of some of them.
        buckets (int): where made_from costs little, it is read twice: keys are thrown into so many
            buckets first, and only those of a bucket that differs are looked at one by one. Far
            fewer are kept in mind that way. None looks at all keys at once.
    Returns: str, SQL statements; none before the first build.
#}
{% macro restate_changed(relation, key, made_from, buckets=none) -%}
    {%- if execute and is_incremental() -%}
        {%- set bucket -%}
            mod({{ lettershop.fingerprint(['changed_key']) }}, {{ buckets }})
        {%- endset -%}
        {%- set both_sides -%}
            (
                {{ made_from }}
                union all
                select
                    {{ key }} as changed_key,
                    fingerprint
                from {{ relation }}
            ) as both_sides
        {%- endset %}
        create or replace temporary table {{ lettershop.restated(relation) }} as
        select changed_key
        from {{ both_sides }}
        {%- if buckets %}
        where {{ bucket }} in (
            select {{ bucket }} as bucket
            from {{ both_sides }}
            group by {{ bucket }}
            having {{ lettershop.fingerprint_of_all('fingerprint') }} <> 0
        )
        {%- endif %}
        group by changed_key
        having {{ lettershop.fingerprint_of_all('fingerprint') }} <> 0;
        delete from {{ relation }}
        where {{ lettershop.is_restated(relation, key) }};
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
