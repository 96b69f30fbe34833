{#
    Takes erased people out of esp_outbox; runs before and after it writes, in its transaction. What
    stood there about them before loses everything that names or describes them as soon as there is
    an `erase` row; that row itself, which the sync needs, once the erasure is confirmed.

    Args:
        relation (Relation): esp_outbox.
    Returns: str, SQL statements.
#}
{% macro scrub_outbox(relation) -%}
    {%- if execute and not flags.EMPTY -%}
        {%- set names = ['customer_key', 'esp_id', 'email'] -%}
        {%- set emptied -%}
            customer_key = null,
            esp_id = null,
            new_esp_id = null,
            email = null,
            payload = null,
            payload_hash = null
        {%- endset -%}
        update {{ relation }}
        set {{ emptied }}
        where
            op <> 'erase'
            and (
                {%- for name in names %}
                {{ 'or ' if not loop.first }}{{ name }} in (
                    select {{ name }} from {{ relation }} where op = 'erase' and {{ name }} is not null
                )
                {%- endfor %}
            );
        update {{ relation }}
        set {{ emptied }}
        where
            change_seq in (
                select outbox.change_seq
                from {{ relation }} as outbox
                cross join {{ ref('fct_erasures') }} as erasures
                where
                    outbox.op = 'erase'
                    and outbox.esp_id is not null
                    and {{ lettershop.is_of_erasure('outbox', 'erasures') }}
                group by outbox.change_seq
                having count(*) = count(erasures.confirmed_at)
            );
    {%- endif -%}
{%- endmacro %}

{#
    Whether a row of the outbox is about the person of an erasure: by the key, the address, or an id
    that the ESP knows.

    Args:
        outbox (str), erasures (str): aliases of esp_outbox and of fct_erasures.
    Returns: str, a SQL expression of type boolean, never null.
#}
{% macro is_of_erasure(outbox, erasures) -%}
    (
    coalesce(
        {{ lettershop.customer_key_hash(outbox ~ '.customer_key') }} = {{ erasures }}.key_hash, false
    )
    or coalesce(
        {{ lettershop.customer_key_hash(outbox ~ '.esp_id') }} = {{ erasures }}.key_hash, false
    )
    {%- for column in ['email', 'esp_id'] %}
    or coalesce(
        {{ lettershop.erasure_hash(
            erasures ~ '.store', erasures ~ '.identifier_type', outbox ~ '.' ~ column
        ) }} = {{ erasures }}.identifier_hash,
        false
    )
    {%- endfor %}
    )
{%- endmacro %}
