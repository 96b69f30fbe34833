{#
    The exact product of two decimals. One factor is widened first: left alone, an engine may choose
    a type for the result that large amounts overflow.

    Args:
        amount (str), factor (str): SQL expressions of type decimal(18, s).
    Returns: str, a SQL expression of type decimal(38, s).
#}
{% macro product_of(amount, factor) -%}
    cast({{ amount }} as decimal(28, 6)) * {{ factor }}
{%- endmacro %}
