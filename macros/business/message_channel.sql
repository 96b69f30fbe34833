{#
    The channel of a message: what its events say, or else its campaign, or else e-mail.

    Args:
        messages, campaigns (str): aliases; campaigns may be missing from the row.
    Returns: str, a SQL expression, never null.
#}
{% macro message_channel(messages, campaigns) -%}
    coalesce({{ messages }}.channel, {{ campaigns }}.channel, 'email')
{%- endmacro %}
