{#
    Takes erased people out of esp_outbox; runs before and after it writes, on DuckDB in its
    transaction. On Snowflake each statement is committed by itself; what a failed build left, the
    next one does. What stood there about them before loses everything that names or describes them
    as soon as there is an `erase` row; that row itself, which the sync needs, once the erasure is
    confirmed, and then also the row that gave the profile of their key to somebody else. All of it
    is right also where the guard, which runs after it, stops the build.

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
            payload_hash = null,
            daily_hash = null
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
                select told.change_seq
                from (
                    {{ lettershop.erasures_of_rows(relation, ref('fct_erasures')) | indent(20) }}
                ) as told
                group by told.change_seq
                having count(*) = count(told.confirmed_at)
            );
        update {{ relation }}
        set {{ emptied }}
        where
            op = 'merge'
            and {{ lettershop.customer_key_hash('esp_id') }} in (
                select key_hash from {{ ref('fct_erasures') }}
                where key_hash is not null
                group by key_hash
                having count(*) = count(confirmed_at)
            );
    {%- endif -%}
{%- endmacro %}

{#
    The erasures that an `erase` row is about: by the key, the address, or an id that the ESP knows.

    Args:
        outbox (Relation), erasures (Relation): esp_outbox and fct_erasures.
    Returns: str, a query of change_seq and confirmed_at, one row per row and identifier.
#}
{% macro erasures_of_rows(outbox, erasures) -%}
    select
        hashed.change_seq,
        erasures.confirmed_at
    from (
        {%- for column in ['customer_key', 'esp_id'] %}
        select
            change_seq,
            {{ lettershop.customer_key_hash(column) }} as hash
        from {{ outbox }}
        where op = 'erase' and {{ column }} is not null
        union all
        {%- endfor %}
        {%- for column in ['email', 'esp_id'] %}
        select
            outbox.change_seq,
            {{ lettershop.erasure_hash('kinds.store', 'kinds.identifier_type', 'outbox.' ~ column) }}
                as hash
        from {{ outbox }} as outbox
        cross join (select distinct store, identifier_type from {{ erasures }}) as kinds
        where outbox.op = 'erase' and outbox.{{ column }} is not null
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as hashed
    inner join (
        select
            key_hash as hash,
            confirmed_at
        from {{ erasures }}
        where key_hash is not null
        union all
        select
            identifier_hash as hash,
            confirmed_at
        from {{ erasures }}
    ) as erasures on hashed.hash = erasures.hash
{%- endmacro %}
