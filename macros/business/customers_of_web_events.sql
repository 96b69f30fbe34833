{#
    Site events with the customer, the product and the shop's day. Left joins: what an engine has
    to leave out of the events it leaves out before it looks anybody up.

    Args:
        events (str): a CTE of rows of stg_web__events.
    Returns: str, a query of the columns of fct_web_events.
#}
{% macro customers_of_web_events(events) -%}
    select
        events.store,
        events.event_id,
        events.session_id,
        identifiers.customer_key,
        events.anonymous_id,
        events.event_type,
        products.product_key,
        events.quantity,
        events.unit_price,
        events.currency,
        events.cart_id,
        events.order_id,
        events.search_term,
        events.page_url,
        events.utm_source,
        events.utm_medium,
        events.utm_campaign,
        events.utm_content,
        events.device_type,
        events.engaged_seconds,
        events.occurred_at,
        {{ lettershop.local_date('events.occurred_at') }} as event_date
    from (
        select
            *,
            {{ lettershop.identifier_type(['customer_id', 'email', 'esp_contact_id', 'anonymous_id']) }}
                as identifier_type,
            coalesce(customer_id, email, esp_contact_id, anonymous_id) as identifier
        from {{ events }}
    ) as events
    left join {{ ref('dim_identifiers') }} as identifiers
        on
            events.store = identifiers.store
            and events.identifier_type = identifiers.identifier_type
            and events.identifier = identifiers.identifier
    left join {{ ref('dim_products') }} as products
        on events.store = products.store and events.product_id = products.product_id
{%- endmacro %}
