{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ restate_changed(this, 'customer_key', customer_fingerprints()) }}"
) }}

{#- Of a session; everything else happens once a movement, and to count it an engine remembers less
    than to add it up. -#}
{%- set summed = [
    'page_view_count', 'product_view_count', 'search_count', 'cart_add_count', 'checkout_count',
    'engaged_seconds',
] -%}
-- Grain: customer and calendar day of the shop on which something happened, all channels. The
-- ledger from which windows are summed. Additive in every column. Opens and clicks are messages
-- first opened or clicked by a likely human on that day. Incremental (docs/decisions/0013): the
-- days of a customer are made anew when anything that they were made from has changed.
with movements as (
    {{ customer_movements(restated(this) if is_incremental() else none) }}
),

final as (
    select
        customer_key,
        activity_date,
        {%- for column in [
            'order_count', 'session_count', 'page_view_count', 'product_view_count',
            'search_count', 'cart_add_count', 'checkout_count', 'engaged_seconds',
            'email_sent_count', 'email_delivered_count', 'email_open_count', 'email_click_count',
            'email_unsubscribe_count', 'email_complaint_count', 'social_interaction_count',
            'service_interaction_count', 'coupon_redemption_count',
        ] %}
        cast(
            {%- if column in summed %} coalesce(sum({{ column }}), 0)
            {%- else %} count({{ column }})
            {%- endif %} as integer
        ) as {{ column }},
        {%- endfor %}
        {{ money('coalesce(sum(net_revenue_base_amount), 0)') }} as net_revenue_base_amount,
        {{ fingerprint_of_all('fingerprint') }} as fingerprint
    from movements
    group by customer_key, activity_date
)

select * from final
