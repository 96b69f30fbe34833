{#
    Whole part of a division of two non-negative integers. The dividend of the last step is a
    multiple of the divisor, so that floating point, where an engine uses it, is exact.

    Args:
        dividend (str), divisor (str): SQL expressions of type integer.
    Returns: str, a SQL expression of type integer.
#}
{% macro integer_divide(dividend, divisor) -%}
    cast(({{ dividend }} - mod({{ dividend }}, {{ divisor }})) / {{ divisor }} as integer)
{%- endmacro %}
