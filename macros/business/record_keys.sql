{#
    Every key that a record could ever have given a customer, with the customer's key now. A guest
    who gets a CRM record, or a record that is merged into another, changes key; what state knows
    under the old one is still about the same person.

    Returns: str, a parenthesised query: record_key, customer_key.
#}
{% macro record_keys() -%}
    (
    select
        {{ lettershop.entity_key(["'crm'", 'store', 'identifier']) }} as record_key,
        customer_key
    from {{ ref('dim_identifiers') }}
    where identifier_type = 'customer_id'
    union all
    select
        {{ lettershop.entity_key(["'contact'", 'store', 'identifier']) }} as record_key,
        customer_key
    from {{ ref('dim_identifiers') }}
    where identifier_type = 'esp_contact_id'
    union all
    select
        {{ lettershop.entity_key(["'order'", 'store', 'order_id']) }} as record_key,
        customer_key
    from {{ ref('fct_orders') }}
    where customer_key is not null
    )
{%- endmacro %}

{#
    Every key, of now or of before records were merged, of customers who may not be profiled. What
    reads it says on which models it depends: dim_customers, profiled_customers, dim_identifiers and
    fct_orders.

    Args:
        erased (str): a query of customer_key, keys of erased people; '' for none. Whoever came back
            and may be profiled is left out.
    Returns: str, a query of customer_key.
#}
{% macro unprofiled_keys(erased='') -%}
    select customer_key from (
        select
            customer_key,
            customer_key as key_now
        from {{ ref('dim_customers') }}
        union all
        select
            record_key as customer_key,
            customer_key as key_now
        from {{ lettershop.record_keys() }} as records
        {%- if erased %}
        union all
        select
            customer_key,
            customer_key as key_now
        from ({{ erased }}) as erased
        {%- endif %}
    ) as known
    where key_now not in (select customer_key from {{ ref('profiled_customers') }})
{%- endmacro %}
