{#
    An element of a JSON list by its position.

    Args:
        json (str): SQL of the JSON text; null gives null.
        position (str): SQL of a whole number, the first is 0.
        type (str): SQL type of the result.
    Returns: str, a SQL expression; null where the list is shorter.
#}
{% macro json_item(json, position, type) -%}
    {{ return(adapter.dispatch('json_item', 'lettershop')(json, position, type)) }}
{%- endmacro %}

{% macro duckdb__json_item(json, position, type) -%}
    cast(json_extract_string({{ json }}, '$[' || cast({{ position }} as varchar) || ']') as {{ type }})
{%- endmacro %}

{% macro snowflake__json_item(json, position, type) -%}
    {#- dbt's series of numbers are doubles there, and a place in a list is none. -#}
    cast(get(parse_json({{ json }}), cast({{ position }} as integer)) as {{ type }})
{%- endmacro %}

{#
    What stands in a JSON object under a path of names.

    Args:
        json (str): SQL of the JSON text.
        path (str): names with dots between.
        type (str): SQL type of the result; of an object or a list, varchar gives its JSON.
    Returns: str, a SQL expression; null where there is nothing.
#}
{% macro json_at(json, path, type) -%}
    {{ return(adapter.dispatch('json_at', 'lettershop')(json, path, type)) }}
{%- endmacro %}

{% macro duckdb__json_at(json, path, type) -%}
    cast(json_extract_string({{ json }}, '$.{{ path }}') as {{ type }})
{%- endmacro %}

{% macro snowflake__json_at(json, path, type) -%}
    cast(get_path(parse_json({{ json }}), '{{ path }}') as {{ type }})
{%- endmacro %}
