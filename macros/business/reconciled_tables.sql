{#
    The landing tables whose rows become rows of one core table, and how. What is left between the
    accepted rows and the core table's is unexplained.

    Returns: dict of landing table to dict:
        core (str): the core table;
        of_core (str): which of its rows come from the landing table; optional, all of them;
        amount (str): column of all three (landing, base model, core) whose total must be the same;
            optional;
        combined (str): SQL over the accepted rows: how many stand in core within another row;
            optional, none;
        after_clock (str): SQL over the accepted rows: how many core does not know yet at the clock;
            optional, none.
#}
{% macro reconciled_tables() %}
    {{ return({
        'crm_customers': {
            'core': 'dim_customers',
            'of_core': "origin = 'crm'",
            'combined': '(select count(*) from ' ~ ref('int_customer_keys_ranked')
                ~ " where origin = 'crm' and key_rank > 1)",
            'after_clock': '(select count(*) from ' ~ ref('int_customers_merged') ~ ' as customers'
                ~ ' left join ' ~ ref('int_first_acts') ~ ' as first_acts'
                ~ ' on customers.customer_key = first_acts.customer_key'
                ~ " where customers.origin = 'crm' and first_acts.customer_key is null"
                ~ ' and customers.signed_up_at >= ' ~ lettershop.as_of_at() ~ ')',
        },
        'shop_products': {'core': 'dim_products'},
        'shop_orders': {'core': 'fct_orders', 'amount': 'total_amount'},
        'shop_order_lines': {'core': 'fct_order_lines', 'amount': 'line_amount'},
        'shop_refunds': {'core': 'fct_refunds', 'amount': 'refund_amount'},
        'coupon_redemptions': {'core': 'fct_coupon_redemptions'},
        'web_events': {'core': 'fct_web_events'},
        'social_interactions': {'core': 'fct_social_interactions'},
        'service_interactions': {'core': 'fct_service_interactions'},
        'esp_campaigns': {'core': 'dim_campaigns'},
        'esp_events': {
            'core': 'fct_messages',
            'combined': 'count(case when occurred_at < ' ~ lettershop.as_of_at() ~ ' then 1 end)\n'
                ~ '        - count(distinct case when occurred_at < ' ~ lettershop.as_of_at()
                ~ " then store || '|' || message_id end)",
            'after_clock': 'count(case when occurred_at >= ' ~ lettershop.as_of_at() ~ ' then 1 end)',
        },
    }) }}
{% endmacro %}
