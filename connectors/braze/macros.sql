{# The events of messages: raw table, channel, event type, kind of bounce; and what names the recipient. #}
{% set message_events = [
    ['email_send', 'email', 'sent', none],
    ['email_delivery', 'email', 'delivered', none],
    ['email_open', 'email', 'opened', none],
    ['email_click', 'email', 'clicked', none],
    ['email_bounce', 'email', 'bounced', 'hard'],
    ['email_softbounce', 'email', 'bounced', 'soft'],
    ['email_markasspam', 'email', 'complained', none],
    ['email_unsubscribe', 'email', 'unsubscribed', none],
    ['sms_send', 'sms', 'sent', none],
    ['sms_delivery', 'sms', 'delivered', none],
    ['pushnotification_send', 'push', 'sent', none],
    ['pushnotification_open', 'push', 'opened', none],
    ['pushnotification_bounce', 'push', 'bounced', 'hard'],
] %}

{# The moment of a Unix time in seconds. #}
{% macro from_seconds(expression) -%}
    {{ from_microseconds(expression ~ ' * 1000000') }}
{%- endmacro %}

{# What was sent: a step of a Canvas, or a campaign. #}
{% macro campaign_of() -%}
    coalesce(canvas_step_id, canvas_id, campaign_id)
{%- endmacro %}
