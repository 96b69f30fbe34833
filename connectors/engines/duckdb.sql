{#
    What DuckDB writes differently. connectors/engines/snowflake.sql has the same macros.
#}

{# A raw column in its type; a value that does not fit is null. #}
{% macro typed(expression, type, raw_type) -%}
    {%- if raw_type is none -%}
    cast(null as {{ type }})
    {%- elif type == 'json' and raw_type in ('VARCHAR', 'JSON') -%}
    try_cast({{ expression }} as json)
    {%- elif type == 'json' -%}
    to_json({{ expression }})
    {%- elif type == 'timestamp' and raw_type == 'TIMESTAMP' -%}
    {{ expression }}
    {%- elif type == 'timestamp' and raw_type in ('VARCHAR', 'TIMESTAMP WITH TIME ZONE') -%}
    {#- The session's zone is UTC: a text without an offset is taken as UTC, one with an offset moves there. -#}
    try_cast({{ expression }} as timestamp with time zone) at time zone 'UTC'
    {%- else -%}
    try_cast({{ expression }} as {{ type }})
    {%- endif -%}
{%- endmacro %}

{# The text under a path of names in a JSON value. #}
{% macro json_text(json, path) -%}
    json_extract_string({{ json }}, '$.{{ path }}')
{%- endmacro %}

{# The elements of a JSON list, after a relation in `from`: one row each with `part` and `position`
   (the first is 1); one row with a null part where there is none. #}
{% macro json_elements(json, alias) -%}
    left join lateral (
        select
            unnest(json_extract({{ json }}, '$[*]')) as part,
            generate_subscripts(json_extract({{ json }}, '$[*]'), 1) as position
    ) as {{ alias }} on true
{%- endmacro %}

{# An element of a JSON list by its position, the first is 0. #}
{% macro json_item(json, position) -%}
    json_extract({{ json }}, '$[{{ position }}]')
{%- endmacro %}

{# The value of a GA4 event parameter as text: parameters are a list of key and value. #}
{% macro parameter(parameters, key) -%}
    coalesce(
        {%- for kind in ('string', 'int', 'double', 'float') %}
        json_extract_string(
            list_filter(
                json_extract({{ parameters }}, '$[*]'),
                lambda pair: json_extract_string(pair, '$.key') = '{{ key }}'
            )[1],
            '$.value.{{ kind }}_value'
        ){{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{# The moment that many microseconds after the beginning of 1970. #}
{% macro from_microseconds(expression) -%}
    make_timestamp({{ expression }})
{%- endmacro %}
