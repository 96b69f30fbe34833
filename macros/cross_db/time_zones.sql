{#
    A UTC timestamp as wall-clock time in a time zone that is a column.

    Args:
        expression (str): a SQL expression of type timestamp, in UTC.
        time_zone (str): a SQL expression of type text, an IANA name.
    Returns: str, a SQL expression of type timestamp without time zone.
#}
{% macro local_time_in(expression, time_zone) -%}
    {{ return(adapter.dispatch('local_time_in', 'lettershop')(expression, time_zone)) }}
{%- endmacro %}

{% macro default__local_time_in(expression, time_zone) -%}
    (({{ expression }}) at time zone 'UTC') at time zone {{ time_zone }}
{%- endmacro %}

{#
    Wall-clock time in a time zone as a UTC timestamp. An hour that the clocks skip becomes the
    next; of one that they repeat, the engine picks.

    Args:
        expression (str): a SQL expression of type timestamp without time zone.
        time_zone (str): a SQL expression of type text, an IANA name.
    Returns: str, a SQL expression of type timestamp, in UTC.
#}
{% macro utc_time_from(expression, time_zone) -%}
    {{ return(adapter.dispatch('utc_time_from', 'lettershop')(expression, time_zone)) }}
{%- endmacro %}

{% macro default__utc_time_from(expression, time_zone) -%}
    (({{ expression }}) at time zone {{ time_zone }}) at time zone 'UTC'
{%- endmacro %}
