{#
    How many letters must be put in, left out or replaced to make one text of the other
    (Levenshtein).

    Args:
        left_text (str), right_text (str): SQL expressions of type text.
    Returns: str, a SQL expression of type integer.
#}
{% macro edit_distance(left_text, right_text) -%}
    {{ return(adapter.dispatch('edit_distance', 'lettershop')(left_text, right_text)) }}
{%- endmacro %}

{% macro default__edit_distance(left_text, right_text) -%}
    levenshtein({{ left_text }}, {{ right_text }})
{%- endmacro %}

{% macro snowflake__edit_distance(left_text, right_text) -%}
    editdistance({{ left_text }}, {{ right_text }})
{%- endmacro %}
