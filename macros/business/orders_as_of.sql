{#
    The orders that count on a day: valid and not refunded in full as known at the beginning of that
    day, with what was refunded until then taken off. The same SQL for every day, so that the past
    can be asked.

    Args:
        day (str): a SQL expression of type date. Orders, cancellations and refunds of that day and
            later are not known.
    Returns: str, a parenthesised query: one row per order with customer_key, store, order_id,
        order_date, gross_amount, discount_amount, net_revenue_amount (all in base currency).
#}
{% macro orders_as_of(day) -%}
    (
    select
        orders.customer_key,
        orders.store,
        orders.order_id,
        orders.order_date,
        round({{ lettershop.product_of('orders.gross_amount', 'orders.rate_to_base') }}, 4) as gross_amount,
        round({{ lettershop.product_of('orders.discount_amount', 'orders.rate_to_base') }}, 4) as discount_amount,
        orders.product_base_amount - coalesce(refunds.product_base_amount, 0)
            as net_revenue_amount
    from {{ ref('fct_orders') }} as orders
    left join (
        select
            store,
            order_id,
            sum(product_amount) as product_amount,
            sum(product_base_amount) as product_base_amount
        from {{ ref('fct_refunds') }}
        where refund_date < {{ day }}
        group by store, order_id
    ) as refunds
        on orders.store = refunds.store and orders.order_id = refunds.order_id
    where
        orders.customer_key is not null
        and not orders.is_test
        and orders.order_date < {{ day }}
        and coalesce(orders.cancelled_date >= {{ day }}, true)
        and not (
            orders.product_amount > 0
            and coalesce(refunds.product_amount, 0) >= orders.product_amount
        )
    )
{%- endmacro %}
