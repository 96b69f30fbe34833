{#
    Deletes from trigger_log what must not be kept; runs as a pre-hook, on DuckDB in the transaction
    of the model itself, on Snowflake before it, which changes nothing: everything about people who are erased, and the behavioural triggers of people
    who may not be profiled. What is known of that counts at once, whatever the clock.

    Args:
        relation (Relation): trigger_log.
    Returns: str, a SQL statement; none before the first build.
#}
{% macro forget_triggers(relation) -%}
    {%- if execute and is_incremental() and not flags.EMPTY -%}
        {%- set erased = lettershop.erased_keys(relation) -%}
        delete from {{ relation }}
        where
            (is_behavioural and customer_key in ({{ lettershop.unprofiled_keys() }}))
            {%- if erased %}
            or customer_key in (
                select customer_key from ({{ erased }}) as erased
                -- Whoever came back after an erasure keeps the new history.
                where customer_key not in (select customer_key from {{ ref('dim_customers') }})
            )
            {%- endif %}
    {%- endif -%}
{%- endmacro %}
