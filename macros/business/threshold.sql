{#
    A value from seeds/segments/segment_thresholds.csv, as an aggregate over the seed.

    Args:
        segment_id (str), threshold (str): the seed's row.
    Returns: str, an aggregate expression of type decimal; null where the seed lacks the row.
#}
{% macro threshold(segment_id, threshold) -%}
    max(case when segment_id = '{{ segment_id }}' and threshold = '{{ threshold }}' then value end)
{%- endmacro %}
