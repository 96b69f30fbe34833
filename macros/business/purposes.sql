{#
    What the project's YAML says of privacy, as SQL rows: every column of every model, and the
    purposes and legal bases in the models' meta (dbt_project.yml states them by folder).

    Returns: str, a query.
#}
{% macro documented_columns() -%}
    {%- if not execute -%}
    select
        '' as model_name,
        '' as layer,
        '' as column_name,
        '' as category
    {%- else -%}
    select * from (
        values
        {%- for node in lettershop.documented_models() %}
        {%- set model_loop = loop %}
        {%- for column in node.columns.values() %}
        ('{{ node.name }}', '{{ node.fqn[1] }}', '{{ column.name }}', {{
            lettershop.text_or_null(column.config.meta.get('personal'))
        }}){{ ',' if not (loop.last and model_loop.last) }}
        {%- endfor %}
        {%- endfor %}
    ) as documented (model_name, layer, column_name, category)
    {%- endif -%}
{%- endmacro %}

{% macro documented_purposes() -%}
    {%- set stated = [] -%}
    {%- if execute -%}
        {%- for node in lettershop.documented_models() -%}
            {%- for purpose, basis in node.config.meta.get('purposes', {}).items() -%}
                {%- do stated.append([node.name, purpose, basis]) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if not stated -%}
    select
        '' as model_name,
        '' as purpose,
        '' as legal_basis
    {%- else -%}
    select * from (
        values
        {%- for name, purpose, basis in stated %}
        ('{{ name }}', '{{ purpose }}', '{{ basis }}'){{ ',' if not loop.last }}
        {%- endfor %}
    ) as stated (model_name, purpose, legal_basis)
    {%- endif -%}
{%- endmacro %}

{#
    The project's models with documented columns, by name.

    Returns: list of nodes of dbt's graph.
#}
{% macro documented_models() %}
    {%- set models = [] -%}
    {%- for node in graph.nodes.values() | sort(attribute='name')
        if node.resource_type == 'model' and node.columns -%}
        {%- do models.append(node) -%}
    {%- endfor -%}
    {{ return(models) }}
{% endmacro %}

{#
    A value as SQL text.

    Args:
        value (str or none).
    Returns: str, a SQL literal of type text, or a typed null.
#}
{% macro text_or_null(value) -%}
    {{ "'" ~ value ~ "'" if value else 'cast(null as varchar)' }}
{%- endmacro %}
