{#
    A JSON object as text, keys in the order given, so that equal content has equal bytes on every
    engine.

    Args:
        members (list of [key, expression, is_text]): SQL expressions; text is quoted and escaped,
            anything else is written as the engine casts it to text. null stays null.
    Returns: str, a SQL expression of type text.
#}
{% macro json_text(members) -%}
    '{'
    {%- for key, expression, is_text in members %}
    || '{{ '' if loop.first else ', ' }}"{{ key }}": '
    || coalesce({{ lettershop.json_string(expression) if is_text else 'cast(' ~ expression ~ ' as varchar)' }}, 'null')
    {%- endfor %}
    || '}'
{%- endmacro %}

{#
    A text as a JSON string, quoted and escaped.

    Args:
        expression (str): a SQL expression of type text.
    Returns: str, a SQL expression of type text; null for null.
#}
{% macro json_string(expression) -%}
    {{ return(adapter.dispatch('json_string', 'lettershop')(expression)) }}
{%- endmacro %}

{% macro default__json_string(expression) -%}
    cast(to_json({{ expression }}) as varchar)
{%- endmacro %}

{% macro snowflake__json_string(expression) -%}
    to_json(to_variant({{ expression }}))
{%- endmacro %}
