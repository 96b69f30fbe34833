{#
    A model's schema is its folder's name. A target whose own schema is not `main` (a developer's,
    say) prefixes it, so that several people can share one database.

    Args:
        custom_schema_name (str | none): the `+schema` of the model's folder in dbt_project.yml.
        node (dict): the node being built.
    Returns: str, the schema's name.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- elif target.schema == 'main' -%}
        {{ custom_schema_name | trim }}
    {%- else -%}
        {{ target.schema }}_{{ custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro %}
