{#
    The value that just earns a score, as an aggregate over rfm_boundaries.

    Args:
        measure (str): recency, frequency or monetary.
        score (int): 2 to 5; score 1 has no lower bound.
    Returns: str, an aggregate expression of type decimal; null where nobody earned the score.
#}
{% macro rfm_boundary(measure, score) -%}
    max(case when measure = '{{ measure }}' and score = {{ score }} then boundary_value end)
{%- endmacro %}
