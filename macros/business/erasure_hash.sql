{#
    The keyed hash under which an erased identifier is remembered: md5 over the key in the
    environment variable LETTERSHOP_ERASURE_KEY, what kind of identifier it is, the store and the
    identifier. Without the key nobody can tell whose it is; with another key nobody is recognised.
    For tables only: the SQL of a view is stored, and would hold the key.

    Args:
        store (str), type (str), identifier (str): SQL expressions of type text.
    Returns: str, a SQL expression of type text; null for null.
#}
{% macro erasure_hash(store, type, identifier) -%}
    {%- set key = env_var('LETTERSHOP_ERASURE_KEY', 'lettershop') | replace("'", "''") -%}
    md5(
        '{{ key }}' || chr(31) || {{ type }} || chr(31) || {{ store }} || chr(31) || {{ identifier }}
    )
{%- endmacro %}

{#
    What the key in LETTERSHOP_ERASURE_KEY gives, by which another key is noticed.

    Returns: str, a SQL expression of type text.
#}
{% macro erasure_key_check() -%}
    {{ lettershop.erasure_hash("''", "'key_check'", "''") }}
{%- endmacro %}

{#
    The key of a customer, made from the record that stands for the person: a CRM record, an order
    or an ESP contact. Whoever comes back after an erasure is somebody new.

    Args:
        origin (str), store (str), record_id (str): SQL expressions of type text.
        erased_at (str): when the record's id was erased, if it was; a SQL expression of type
            timestamp.
    Returns: str, a SQL expression of type text.
#}
{% macro customer_key_from(origin, store, record_id, erased_at) -%}
    md5(
        {{ origin }} || chr(31) || {{ store }} || chr(31) || {{ record_id }}
        || coalesce(chr(31) || cast(cast(floor(extract(epoch from {{ erased_at }})) as bigint) as varchar), '')
    )
{%- endmacro %}

{#
    The keyed hash of a customer key, by which state about somebody who is erased is found.

    Args:
        customer_key (str): a SQL expression of type text.
    Returns: str, a SQL expression of type text.
#}
{% macro customer_key_hash(customer_key) -%}
    {{ lettershop.erasure_hash("''", "'customer_key'", customer_key) }}
{%- endmacro %}
