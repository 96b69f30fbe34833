{#
    A UTC timestamp as wall-clock time in the shop's time zone (var shop_timezone).

    Args:
        expression (str): a SQL expression of type timestamp, in UTC.
    Returns: str, a SQL expression of type timestamp without time zone.
#}
{% macro local_time(expression) -%}
    {{ return(adapter.dispatch('local_time', 'lettershop')(expression)) }}
{%- endmacro %}

{% macro default__local_time(expression) -%}
    (({{ expression }}) at time zone 'UTC') at time zone '{{ var("shop_timezone") }}'
{%- endmacro %}

{#
    The shop's calendar day of a UTC timestamp.

    Args:
        expression (str): a SQL expression of type timestamp, in UTC.
    Returns: str, a SQL expression of type date.
#}
{% macro local_date(expression) -%}
    cast({{ local_time(expression) }} as date)
{%- endmacro %}
