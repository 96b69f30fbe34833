{#
    Prepares segment_spells for a build; runs as a pre-hook, on DuckDB in the transaction of the model
    itself. On Snowflake it is committed before: a build of the same day that then fails leaves the
    day as if it had not been built, until it is built again.

    Takes back what a build of the same day wrote, so that building a day twice changes nothing.
    And deletes the history of people who object to profiling or are erased: what is known of that
    counts at once, whatever the clock, so that no day built from scratch would have them either.

    Args:
        relation (Relation): segment_spells.
    Returns: str, SQL statements; none before the first build.
#}
{% macro reopen_spells(relation) -%}
    {%- if execute and is_incremental() and not flags.EMPTY -%}
        {%- set erased = lettershop.erased_keys(relation) -%}
        delete from {{ relation }}
        where
            entered_date >= {{ as_of_date() }}
            or customer_key in ({{ lettershop.unprofiled_keys(erased) }});
        update {{ relation }} set left_date = null where left_date >= {{ as_of_date() }};
    {%- endif -%}
{%- endmacro %}
