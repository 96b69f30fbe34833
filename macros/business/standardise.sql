{#
    Words that landing columns use, by domain: our word first, then what else it is called. Read by
    the staging models and by `make check`.

    Returns: dict of domain to dict of our word to list of other spellings, all lower case.
#}
{% macro value_domains() %}
    {{ return({
        'gender': {'female': ['f', 'w', 'woman'], 'male': ['m', 'man'], 'other': ['x', 'd', 'diverse', 'non-binary', 'nonbinary']},
        'product_type': {'goods': ['good', 'product', 'physical', 'digital'], 'gift_card': ['giftcard', 'gift card', 'voucher'], 'service': ['services'], 'fee': ['fees', 'tip', 'tips', 'surcharge']},
        'order_status': {'placed': ['open', 'new', 'pending', 'authorized'], 'paid': ['processing', 'captured'], 'fulfilled': ['complete', 'completed', 'shipped', 'delivered', 'closed'], 'cancelled': ['canceled', 'void', 'voided']},
        'sales_channel': {'web': ['online', 'online_store', 'website'], 'app': ['mobile', 'mobile_app'], 'pos': ['store', 'retail', 'in_store'], 'marketplace': [], 'subscription': [], 'wholesale': ['b2b']},
        'refund_type': {'line': ['line_item', 'item'], 'shipping': [], 'adjustment': ['goodwill', 'discrepancy'], 'exchange': []},
        'web_event_type': {'page_view': ['pageview'], 'product_view': ['view_item'], 'search': [], 'add_to_cart': [], 'remove_from_cart': [], 'checkout_started': ['begin_checkout'], 'order_placed': ['purchase'], 'signup': ['sign_up'], 'login': []},
        'campaign_type': {'campaign': ['broadcast', 'one_off'], 'flow': ['automation', 'canvas', 'journey']},
        'channel': {'email': ['e-mail', 'mail'], 'sms': ['text'], 'push': ['mobile_push', 'web_push']},
        'esp_event_type': {'sent': ['send'], 'delivered': ['delivery'], 'dropped': ['drop'], 'bounced': ['bounce'], 'opened': ['open'], 'clicked': ['click'], 'unsubscribed': ['unsubscribe'], 'complained': ['complaint', 'spam', 'spam_report']},
        'bounce_type': {'hard': ['permanent'], 'soft': ['transient']},
        'purpose': {'email_marketing': ['email'], 'profiling': ['personalisation', 'personalization'], 'sms_marketing': ['sms'], 'push_marketing': ['push'], 'tracking': ['analytics'], 'ad_audiences': ['advertising']},
        'consent_action': {'requested': ['pending'], 'granted': ['grant', 'opted_in', 'opt_in', 'opt-in', 'optin', 'subscribed', 'subscribe'], 'confirmed': ['double_opt_in'], 'withdrawn': ['withdraw', 'withdrawal', 'revoked', 'revoke', 'unsubscribed', 'unsubscribe', 'opted_out', 'opt_out', 'opt-out', 'optout', 'denied', 'declined', 'refused'], 'objected': ['object', 'objection'], 'restricted': ['restrict', 'restriction'], 'unrestricted': ['unrestrict']},
        'interaction_type': {'like': ['likes'], 'comment': ['comments'], 'share': ['shares'], 'follow': ['follows'], 'mention': ['mentions']},
        'service_channel': {'ticket': ['email'], 'chat': [], 'call': ['phone'], 'review': [], 'survey': []},
    }) }}
{% endmacro %}

{#
    A text category in our words.

    Args:
        column (str): a text column.
        domain (str): a key of value_domains().
    Returns: str, a SQL expression of type text; null for null and for a word nobody knows.
#}
{% macro standardise(column, domain) -%}
    case lower({{ column }})
        {%- for word, aliases in lettershop.value_domains()[domain].items() %}
        {%- for alias in [word] + aliases %}
        when '{{ alias }}' then '{{ word }}'
        {%- endfor %}
        {%- endfor %}
    end
{%- endmacro %}

{#
    An e-mail address as we compare it: trimmed and lower case. Null where it cannot be one
    (no single @, no dot after it, white space inside, over the 254 characters of RFC 5321).

    Args:
        column (str): a text column.
    Returns: str, a SQL expression of type text.
#}
{% macro clean_email(column) -%}
    case
        when
            {{ lettershop.matches('trim(' ~ column ~ ')', '^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:]]+$') }}
            and length(trim({{ column }})) <= 254
            then lower(trim({{ column }}))
    end
{%- endmacro %}

{#
    What staging calls absurd (docs/decisions/0006): no shop takes a billion in one amount, sells ten
    million of something on one line, or has records of 1989.

    Args:
        column (str): an amount, a quantity or a timestamp.
    Returns: str, a SQL expression of type boolean (null for null).
#}
{% macro is_absurd_amount(column) -%}
    abs({{ column }}) >= 1000000000
{%- endmacro %}

{% macro is_absurd_quantity(column) -%}
    abs({{ column }}) >= 10000000
{%- endmacro %}

{% macro is_absurd_time(column) -%}
    {{ column }} < timestamp '1990-01-01 00:00:00'
{%- endmacro %}

{#
    The money type. Wide enough for any amount that is_absurd_amount lets through, summed over a
    shop's life; four decimals, because allocated taxes and exchange rates need them.

    Args:
        expression (str): a numeric SQL expression.
    Returns: str, a SQL expression of type decimal(18, 4).
#}
{% macro money(expression) -%}
    cast({{ expression }} as decimal(18, 4))
{%- endmacro %}

{#
    Key of an entity of ours: a hash of what it is and the source's key, with a separator that
    does not occur in ids.

    Args:
        parts (list of str): SQL expressions of type text, not null.
    Returns: str, a SQL expression of type text.
#}
{% macro entity_key(parts) -%}
    md5({{ parts | join(" || chr(31) || ") }})
{%- endmacro %}

{#
    A telephone number as we compare it: digits, with a leading + where the country is given. Null
    where it cannot be one (anything but digits and their punctuation, fewer than 7 or more than 15
    digits, the most that E.164 allows).

    Args:
        column (str): a text column.
    Returns: str, a SQL expression of type text.
#}
{% macro clean_phone(column) -%}
    {%- set bare = "translate(" ~ column ~ ", ' -()/.', '')" -%}
    case
        when {{ lettershop.matches(bare, '^00[1-9][0-9]{6,14}$') }} then '+' || substr({{ bare }}, 3)
        when {{ lettershop.matches(bare, '^[+]?[0-9]{7,15}$') }} then {{ bare }}
    end
{%- endmacro %}

{#
    Whether a text is the IANA name of a time zone, spelled as it should be. An engine that is asked
    for the time in a zone it does not know stops, so that no other name gets past staging.

    Args:
        column (str): a text column.
    Returns: str, a SQL expression of type boolean (null for null).
#}
{% macro is_known_timezone(column) -%}
    {{ column }} in ('{{ modules.pytz.all_timezones | join("', '") }}')
{%- endmacro %}
