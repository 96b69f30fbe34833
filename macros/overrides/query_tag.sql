{#
    What Snowflake's query history says of each statement of a model: project, layer and model, so
    that costs can be added up by them. dbt-snowflake asks for these two around every model.
#}
{% macro query_tag_of(node) -%}
    {{ return(tojson({
        'project': node.package_name, 'layer': node.config.schema, 'model': node.name,
    }, sort_keys=true)) }}
{%- endmacro %}

{% macro snowflake__set_query_tag() -%}
    {% set before = get_current_query_tag() %}
    {% do run_query("alter session set query_tag = '" ~ query_tag_of(model) ~ "'") %}
    {{ return(before) }}
{%- endmacro %}

{% macro snowflake__unset_query_tag(original_query_tag) -%}
    {% do run_query("alter session set query_tag = '" ~ (original_query_tag or '') ~ "'") %}
{%- endmacro %}
