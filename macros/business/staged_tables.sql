{#
    The landing tables that staging judges, and the model that holds the verdicts.

    Returns: list of [source name, landing table, base model].
#}
{% macro staged_tables() %}
    {{ return([
        ['crm', 'crm_customers', 'base_crm__customers'],
        ['crm', 'customer_attributes', 'base_crm__customer_attributes'],
        ['shop', 'shop_products', 'base_shop__products'],
        ['shop', 'shop_orders', 'base_shop__orders'],
        ['shop', 'shop_order_lines', 'base_shop__order_lines'],
        ['shop', 'shop_refunds', 'base_shop__refunds'],
        ['shop', 'coupon_redemptions', 'base_shop__coupon_redemptions'],
        ['esp', 'esp_campaigns', 'base_esp__campaigns'],
        ['esp', 'esp_events', 'base_esp__events'],
        ['esp', 'esp_contacts', 'base_esp__contacts'],
        ['consent', 'consent_events', 'base_consent__events'],
        ['consent', 'erasure_requests', 'base_consent__erasure_requests'],
        ['web', 'web_events', 'base_web__events'],
        ['social', 'social_interactions', 'base_social__interactions'],
        ['service', 'service_interactions', 'base_service__interactions'],
        ['reference', 'fx_rates', 'base_reference__fx_rates'],
    ]) }}
{% endmacro %}
