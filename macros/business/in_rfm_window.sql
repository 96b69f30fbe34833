{#
    Whether an order is recent enough to count for frequency and monetary value (var
    rfm_window_days; null: every order is).

    Args:
        order_date (str), day (str): SQL expressions of type date; the window ends before `day`.
    Returns: str, a SQL expression of type boolean.
#}
{% macro in_rfm_window(order_date, day) -%}
    {%- if var('rfm_window_days') is none -%}
        true
    {%- else -%}
        {{ order_date }} >= {{ day }} - {{ var('rfm_window_days') }}
    {%- endif -%}
{%- endmacro %}
