{#
    Keys of customers who asked to be erased, for operations on state. Whom staging withholds, no
    later layer can name: they are looked up in staging itself. No `ref`, since this is an
    operation on state and no step of the way data goes; staging is upstream of every model with
    state anyhow.

    Returns: str, a query with the column customer_key; '' where staging is not there.
#}
{% macro erased_keys() -%}
    {%- set staging = generate_schema_name('staging', none) | trim -%}
    {%- set erased = adapter.get_relation(target.database, staging, 'stg_consent__erasure_requests') -%}
    {%- set orders = adapter.get_relation(target.database, staging, 'stg_shop__orders') -%}
    {%- if erased is not none and orders is not none -%}
    select {{ lettershop.entity_key(["'crm'", 'store', 'identifier']) }} as customer_key
    from {{ erased }}
    where identifier_type = 'customer_id'
    union all
    select {{ lettershop.entity_key(["'contact'", 'store', 'identifier']) }} as customer_key
    from {{ erased }}
    where identifier_type = 'esp_contact_id'
    union all
    select {{ lettershop.entity_key(["'order'", 'store', 'order_id']) }} as customer_key
    from {{ orders }}
    where is_anonymised
    {%- endif -%}
{%- endmacro %}
