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

{#
    When a calendar day of the shop begins.

    Args:
        expression (str): a SQL expression of type date.
    Returns: str, a SQL expression of type timestamp, in UTC.
#}
{% macro day_begins_at(expression) -%}
    {{ return(adapter.dispatch('day_begins_at', 'lettershop')(expression)) }}
{%- endmacro %}

{% macro default__day_begins_at(expression) -%}
    (cast({{ expression }} as timestamp) at time zone '{{ var("shop_timezone") }}')
    at time zone 'UTC'
{%- endmacro %}
