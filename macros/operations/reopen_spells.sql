{#
    Takes back what a build of the same day wrote to segment_spells, so that building a day twice
    changes nothing. Runs as a pre-hook, in the transaction of the model itself.

    Args:
        relation (Relation): segment_spells, where it exists.
    Returns: str, SQL statements.
#}
{% macro reopen_spells(relation) -%}
    {%- if execute and is_incremental() -%}
        delete from {{ relation }} where entered_date >= {{ as_of_date() }};
        update {{ relation }} set left_date = null where left_date >= {{ as_of_date() }};
    {%- endif -%}
{%- endmacro %}
