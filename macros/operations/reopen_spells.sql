{#
    Prepares segment_spells for a build. Takes back what a build of the same day wrote, so that
    building a day twice changes nothing; and deletes the history of everyone who may no longer be
    profiled or is not a customer any more, as a replay from today's landing would not have it.
    Runs as a pre-hook, in the transaction of the model itself.

    Args:
        relation (Relation): segment_spells.
    Returns: str, SQL statements; none before the first build.
#}
{% macro reopen_spells(relation) -%}
    {%- if execute and is_incremental() -%}
        delete from {{ relation }}
        where
            entered_date >= {{ as_of_date() }}
            or customer_key not in (select customer_key from {{ ref('profiled_customers') }});
        update {{ relation }} set left_date = null where left_date >= {{ as_of_date() }};
    {%- endif -%}
{%- endmacro %}
