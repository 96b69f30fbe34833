{#
    The name of a temporary table that belongs to a model. Snowflake makes it in a schema, which the
    session need not have: it is the model's own.

    Args:
        relation (Relation): the model.
        prefix (str): what tells a model's temporary tables apart.
    Returns: str, a table's name.
#}
{% macro temporary_table(relation, prefix) -%}
    {{ return(adapter.dispatch('temporary_table', 'lettershop')(relation, prefix)) }}
{%- endmacro %}

{% macro default__temporary_table(relation, prefix) -%}
    {{ prefix }}__{{ relation.identifier }}
{%- endmacro %}

{% macro snowflake__temporary_table(relation, prefix) -%}
    {{ relation.incorporate(path={'identifier': prefix ~ '__' ~ relation.identifier}) }}
{%- endmacro %}
