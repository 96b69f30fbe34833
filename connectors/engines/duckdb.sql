{#
    What DuckDB writes differently. connectors/engines/snowflake.sql has the same macros.
#}

{# A raw column in its type; a value that does not fit is null, and so is an empty text. A number is
   no moment, not even for try_cast: what is unlike its type goes by way of text. The session's zone
   is UTC, so that a text without an offset is taken as UTC, and one with an offset moves there; a
   space may stand before the offset. An id that a column with nulls turned into 101.0 is 101. #}
{% macro typed(expression, type, raw_type) -%}
    {%- set has_point = raw_type and raw_type.startswith(('DECIMAL', 'DOUBLE', 'FLOAT')) -%}
    {%- set is_number = has_point
        or raw_type in ('TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT') -%}
    {%- if raw_type is none -%}
    cast(null as {{ type }})
    {%- elif type == 'json' and raw_type in ('VARCHAR', 'JSON') -%}
    try_cast({{ expression }} as json)
    {%- elif type == 'json' -%}
    to_json({{ expression }})
    {%- elif type == 'timestamp' and raw_type == 'TIMESTAMP WITH TIME ZONE' -%}
    {{ expression }} at time zone 'UTC'
    {%- elif type == 'timestamp' and raw_type.startswith(('TIMESTAMP', 'DATE')) -%}
    try_cast({{ expression }} as timestamp)
    {%- elif type == 'timestamp' -%}
    try_cast(
        regexp_replace(cast({{ expression }} as varchar), ' +(Z|[+-][0-9:]+)$', '\1')
        as timestamp with time zone
    ) at time zone 'UTC'
    {%- elif is_number and type.startswith(('decimal', 'bigint')) -%}
    try_cast({{ expression }} as {{ type }})
    {%- elif type == 'varchar' and has_point -%}
    regexp_replace(cast({{ expression }} as varchar), '\.0+$', '')
    {%- elif type == 'varchar' -%}
    nullif(trim(cast({{ expression }} as varchar)), '')
    {%- else -%}
    try_cast(cast({{ expression }} as varchar) as {{ type }})
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
