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

{% macro snowflake__local_time(expression) -%}
    convert_timezone('UTC', '{{ var("shop_timezone") }}', {{ expression }})
{%- endmacro %}

{#
    A UTC timestamp as wall-clock time in a time zone of the row's own.

    Args:
        expression (str): a SQL expression of type timestamp, in UTC.
        timezone (str): a SQL expression of type text, an IANA name (see is_known_timezone): an
            engine may stop at any other.
    Returns: str, a SQL expression of type timestamp without time zone.
#}
{% macro local_time_in(expression, timezone) -%}
    {{ return(adapter.dispatch('local_time_in', 'lettershop')(expression, timezone)) }}
{%- endmacro %}

{% macro default__local_time_in(expression, timezone) -%}
    (({{ expression }}) at time zone 'UTC') at time zone {{ timezone }}
{%- endmacro %}

{% macro snowflake__local_time_in(expression, timezone) -%}
    convert_timezone('UTC', {{ timezone }}, {{ expression }})
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

{% macro snowflake__utc_time_from(expression, time_zone) -%}
    convert_timezone({{ time_zone }}, 'UTC', {{ expression }})
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

{% macro snowflake__day_begins_at(expression) -%}
    convert_timezone('{{ var("shop_timezone") }}', 'UTC', cast({{ expression }} as timestamp))
{%- endmacro %}
