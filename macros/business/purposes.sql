{#
    What the project's YAML says of privacy, as SQL rows: the columns of every model, and the
    purposes and legal bases in the models' meta (dbt_project.yml states them by folder).

    Returns: str, a query. column_names has a space before and after each name: one row per model
        instead of one per column, since thousands of rows take long to write, read and lint.
#}
{% macro documented_columns() -%}
    {%- if not execute -%}
    select
        '' as model_name,
        '' as layer,
        '' as column_names
    {%- else -%}
    select * from (
        values
        {%- for node in lettershop.documented_models() %}
        (
            '{{ node.name }}',
            '{{ node.fqn[1] }}',
            ' {{ node.columns.values() | map(attribute='name') | join(' ') }} '
        ){{ ',' if not loop.last }}
        {%- endfor %}
    ) as documented (model_name, layer, column_names)
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
    The project's models with documented columns, by name. Where it is a package, models of the shop's
    own project are not among them.

    Returns: list of nodes of dbt's graph.
#}
{% macro documented_models() %}
    {%- set models = [] -%}
    {%- for node in graph.nodes.values() | sort(attribute='name')
        if node.resource_type == 'model' and node.package_name == 'lettershop' and node.columns -%}
        {%- do models.append(node) -%}
    {%- endfor -%}
    {{ return(models) }}
{% endmacro %}
