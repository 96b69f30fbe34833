{#
    What Snowflake writes differently. connectors/engines/duckdb.sql has the same macros.
#}

{# A raw column in its type; a value that does not fit is null, and so is an empty text. `expression`
   is a variant. #}
{% macro typed(expression, type, raw_type) -%}
    {%- if type == 'json' -%}
    try_parse_json(cast({{ expression }} as varchar))
    {%- elif type == 'timestamp' -%}
    {#- The session's TIMEZONE has to be UTC, or a time without an offset would move. -#}
    cast(
        convert_timezone('UTC', try_to_timestamp_tz(cast({{ expression }} as varchar)))
        as timestamp_ntz
    )
    {%- elif type == 'varchar' -%}
    nullif(trim(cast({{ expression }} as varchar)), '')
    {%- else -%}
    try_cast(cast({{ expression }} as varchar) as {{ type }})
    {%- endif -%}
{%- endmacro %}

{# The text under a path of names in a JSON value. #}
{% macro json_text(json, path) -%}
    cast(get_path({{ json }}, '{{ path }}') as varchar)
{%- endmacro %}

{# The elements of a JSON list, after a relation in `from`: one row each with `part` and `position`
   (the first is 1); one row with a null part where there is none. #}
{% macro json_elements(json, alias) -%}
    cross join lateral (
        select
            elements.value as part,
            elements.index + 1 as position
        from table(flatten(input => {{ json }}, outer => true)) as elements
    ) as {{ alias }}
{%- endmacro %}

{# An element of a JSON list by its position, the first is 0. #}
{% macro json_item(json, position) -%}
    get({{ json }}, {{ position }})
{%- endmacro %}

{# The value of a GA4 event parameter as text: parameters are a list of key and value. #}
{% macro parameter(parameters, key) -%}
    coalesce(
        {%- for kind in ('string', 'int', 'double', 'float') %}
        cast(
            get_path(
                get(
                    filter({{ parameters }}, pair -> cast(get(pair, 'key') as varchar) = '{{ key }}'),
                    0
                ),
                'value.{{ kind }}_value'
            ) as varchar
        ){{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{# The moment that many microseconds after the beginning of 1970. #}
{% macro from_microseconds(expression) -%}
    to_timestamp_ntz({{ expression }}, 6)
{%- endmacro %}
