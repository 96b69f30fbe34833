{#
    Prepares segment_spells for a build; runs as a pre-hook, in the transaction of the model itself.

    Takes back what a build of the same day wrote, so that building a day twice changes nothing.
    And deletes the history of people who object to profiling or are erased: what is known of that
    counts at once, whatever the clock, so that no day built from scratch would have them either.

    Whom staging withholds, no later layer can name: the erased are looked up in staging itself. No
    `ref`, since this is an operation on state and no step of the way data goes; staging is upstream
    of the model anyhow.

    Args:
        relation (Relation): segment_spells.
    Returns: str, SQL statements; none before the first build.
#}
{% macro reopen_spells(relation) -%}
    {%- if execute and is_incremental() -%}
        {%- set staging = generate_schema_name('staging', none) | trim -%}
        {%- set erased = adapter.get_relation(target.database, staging, 'stg_consent__erasure_requests') -%}
        {%- set orders = adapter.get_relation(target.database, staging, 'stg_shop__orders') -%}
        delete from {{ relation }}
        where
            entered_date >= {{ as_of_date() }}
            or customer_key in (
                select customer_key from (
                    select customer_key from {{ ref('dim_customers') }}
                    {%- if erased is not none and orders is not none %}
                    union all
                    select spells.customer_key
                    from (select distinct customer_key from {{ relation }}) as spells
                    inner join {{ erased }} as erased
                        on {{ customer_key_hash('spells.customer_key') }} = erased.key_hash
                    union all
                    select {{ entity_key(["'order'", 'store', 'order_id']) }} from {{ orders }}
                    where is_anonymised
                    {%- endif %}
                ) as known
                -- Whoever came back after an erasure and may be profiled keeps the new history.
                where customer_key not in (
                    select customer_key from {{ ref('profiled_customers') }}
                )
            );
        update {{ relation }} set left_date = null where left_date >= {{ as_of_date() }};
    {%- endif -%}
{%- endmacro %}
