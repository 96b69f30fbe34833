{#
    Keys of customers in a table of state who asked to be erased. Whom staging withholds, no later
    layer can name: they are looked up in staging itself. No `ref`, since this is an operation on
    state and no step of the way data goes; staging is upstream of every model with state anyhow.

    Args:
        relation (Relation): the table; needs the column customer_key.
    Returns: str, a query with the column customer_key; '' where staging is not there.
#}
{% macro erased_keys(relation) -%}
    {%- set staging = generate_schema_name('staging', none) | trim -%}
    {%- set erased = adapter.get_relation(target.database, staging, 'stg_consent__erasure_requests') -%}
    {%- set orders = adapter.get_relation(target.database, staging, 'stg_shop__orders') -%}
    {%- if erased is not none and orders is not none -%}
    select known.customer_key
    from (select distinct customer_key from {{ relation }}) as known
    inner join {{ erased }} as erased
        on {{ lettershop.customer_key_hash('known.customer_key') }} = erased.key_hash
    union all
    select {{ lettershop.entity_key(["'order'", 'store', 'order_id']) }} as customer_key
    from {{ orders }}
    where is_anonymised
    {%- endif -%}
{%- endmacro %}
