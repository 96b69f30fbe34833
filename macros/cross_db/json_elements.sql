{#
    The elements of a JSON list, one row each, to stand after a relation in `from`.

    Args:
        json (str): SQL of the JSON text.
        path (str): name of the list in it; none where the JSON is the list.
        alias (str): of the elements, for json_field.
    Returns: str, SQL.
#}
{% macro json_elements(json, path, alias) -%}
    {{ return(adapter.dispatch('json_elements', 'lettershop')(json, path, alias)) }}
{%- endmacro %}

{% macro duckdb__json_elements(json, path, alias) -%}
    cross join unnest(json_extract({{ json }}, '${{ '.' ~ path if path }}[*]')) as {{ alias }} (part)
{%- endmacro %}

{% macro snowflake__json_elements(json, path, alias) -%}
    cross join lateral flatten(
        input => {{ "get_path(parse_json(" ~ json ~ "), '" ~ path ~ "')" if path else "parse_json(" ~ json ~ ")" }}
    ) as {{ alias }}
{%- endmacro %}

{#
    A field of an element that json_elements gave.

    Args:
        alias (str): of the elements.
        field (str): name in the object.
        type (str): SQL type of the result.
    Returns: str, a SQL expression; null where the field is missing or null.
#}
{% macro json_field(alias, field, type) -%}
    {{ return(adapter.dispatch('json_field', 'lettershop')(alias, field, type)) }}
{%- endmacro %}

{% macro duckdb__json_field(alias, field, type) -%}
    cast(json_extract_string({{ alias }}.part, '$.{{ field }}') as {{ type }})
{%- endmacro %}

{% macro snowflake__json_field(alias, field, type) -%}
    cast(get_path({{ alias }}.value, '{{ field }}') as {{ type }})
{%- endmacro %}
