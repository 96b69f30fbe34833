{#
    A value from seeds/triggers/trigger_thresholds.csv, as an aggregate over the seed.

    Args:
        trigger_type (str), threshold (str): the seed's row.
    Returns: str, an aggregate expression of type decimal; null where the seed lacks the row.
#}
{% macro trigger_threshold(trigger_type, threshold) -%}
    max(
        case
            when trigger_type = '{{ trigger_type }}' and threshold = '{{ threshold }}' then value
        end
    )
{%- endmacro %}

{#
    The rules that are on, with the time from which on a cause is not too old for its message.

    Returns: str, a parenthesised query: the seed's columns and since_at.
#}
{% macro live_trigger_rules() -%}
    (
    select
        *,
        {{ dbt.dateadd('minute', '-expires_after_minutes', lettershop.as_of_at()) }} as since_at
    from {{ ref('trigger_rules') }}
    where is_enabled
    )
{%- endmacro %}

{#
    A time zone as we can use it: an IANA name, else the shop's.

    Args:
        column (str): a text column.
    Returns: str, a SQL expression of type text.
#}
{% macro usable_time_zone(column) -%}
    case
        when {{ column }} in ('{{ modules.pytz.common_timezones | join("', '") }}')
            then {{ column }}
        else '{{ var("shop_timezone") }}'
    end
{%- endmacro %}

{#
    A time that falls into the quiet period, moved to its end; any other time as it is. The period
    begins with its first hour and ends before its last; it may go over midnight. Nulls or twice
    the same hour are no period.

    Args:
        local_at (str): a SQL expression of type timestamp, on the customer's clock.
        from_hour (str), until_hour (str): SQL expressions of type integer, 0 to 23.
    Returns: str, a SQL expression of type timestamp.
#}
{% macro out_of_quiet(local_at, from_hour, until_hour) -%}
    {%- set hour = 'extract(hour from ' ~ local_at ~ ')' -%}
    {%- set midnight = dbt.date_trunc('day', local_at) -%}
    case
        when
            {{ hour }} < {{ until_hour }}
            and ({{ hour }} >= {{ from_hour }} or {{ from_hour }} > {{ until_hour }})
            then {{ dbt.dateadd('hour', until_hour, midnight) }}
        when {{ hour }} >= {{ from_hour }} and {{ from_hour }} > {{ until_hour }}
            then {{ dbt.dateadd('hour', '24 + ' ~ until_hour, midnight) }}
        else {{ local_at }}
    end
{%- endmacro %}
