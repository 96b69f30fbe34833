{#
    Whether a row is older than seeds/privacy/retention.csv allows.

    Args:
        table_name (str): the landing table.
        happened_at (str): a SQL expression of type timestamp; a null does not expire.
        unless (str): condition of rows that are kept whatever their age.
    Returns: str, a SQL expression of type boolean, never null.
#}
{% macro is_expired(table_name, happened_at, unless='false') -%}
    (
        coalesce(
            {{ happened_at }} < (
                select {{ lettershop.day_begins_at(lettershop.as_of_date() ~ ' - retention.days') }}
                from {{ ref('retention') }} as retention
                where retention.landing_table = '{{ table_name }}'
            ),
            false
        )
        and not coalesce({{ unless }}, false)
    )
{%- endmacro %}

{#
    Events of a message that decide on permission or suppression for good: they do not expire.

    Args:
        relation (str): the alias of rows with event_type and bounce_type.
    Returns: str, a SQL expression of type boolean.
#}
{% macro decides_for_good(relation) -%}
    {{ relation }}.event_type in ('unsubscribed', 'complained')
    or ({{ relation }}.event_type = 'bounced' and {{ relation }}.bounce_type = 'hard')
{%- endmacro %}
