{#
    Carts as they are known: what is in them, and whether anybody still wants it. A cart is open
    while something is in it, no order came from it, and its customer ordered nothing else since
    something was last put in. The same SQL for the clock (triggers) and for the beginning of a day
    (segments).

    - A quantity that is not told is one unit put in, and all that was of the product taken out.
    - An order comes from a cart if it, or an order_placed event, names the cart. A cancelled order
      is an order: whoever cancelled has not forgotten the cart. A test order is none.

    Args:
        day (str): a SQL expression of type date, on and after which nothing is known; none: all
            that is known at the clock.
        among (str): a CTE of cart_key, the only carts that are asked for; none: all.
    Returns: str, a parenthesised query: one row per cart with cart_key, store, cart_id,
        customer_key, first_added_at, last_added_at, last_activity_at, checkout_started_at,
        product_count, quantity, cart_base_amount, ordered_at, order_id, customer_ordered_at,
        is_emptied, is_open.
#}
{% macro carts_as_of(day=none, among=none) -%}
    (
    with cart_events as (
        select
            *,
            row_number() over (
                partition by cart_key order by occurred_at desc nulls last, event_id desc nulls last
            ) as newness
        from {{ ref('fct_cart_events') }}
        where
            {{ 'true' if day is none else 'event_date < ' ~ day }}
            {%- if among is not none %}
            and cart_key in (select cart_key from {{ among }})
            {%- endif %}
    ),

    known_orders as (
        select * from {{ ref('fct_orders') }}
        where
            not is_test
            {%- if day is not none %}
            and order_date < {{ day }}
            {%- endif %}
    ),

    product_events as (
        select
            *,
            min(case when event_type = 'remove_from_cart' and quantity is null then newness end)
                over (partition by cart_key, product_key) as cleared_newness
        from cart_events
        where event_type in ('add_to_cart', 'remove_from_cart')
    ),

    cart_products as (
        select
            cart_key,
            greatest(
                sum(
                    case
                        when newness >= cleared_newness then 0
                        when event_type = 'add_to_cart' then coalesce(quantity, 1)
                        else -coalesce(quantity, 0)
                    end
                ),
                0
            ) as quantity,
            min_by(
                base_unit_price,
                case when event_type = 'add_to_cart' and base_unit_price is not null then newness end
            ) as base_unit_price
        from product_events
        group by cart_key, product_key
    ),

    contents as (
        select
            cart_key,
            count(case when quantity > 0 then 1 end) as product_count,
            sum(quantity) as quantity,
            -- Of one product without a price the whole has none.
            case
                when count(case when quantity > 0 and base_unit_price is null then 1 end) = 0
                    then sum({{ lettershop.product_of('quantity', 'coalesce(base_unit_price, 0)') }})
            end as base_amount
        from cart_products
        group by cart_key
    ),

    carts as (
        select
            cart_key,
            min(store) as store,
            min(cart_id) as cart_id,
            min_by(customer_key, case when customer_key is not null then newness end)
                as customer_key,
            min(case when event_type = 'add_to_cart' then occurred_at end) as first_added_at,
            max(case when event_type = 'add_to_cart' then occurred_at end) as last_added_at,
            max(case when event_type <> 'order_placed' then occurred_at end) as last_activity_at,
            max(case when event_type = 'checkout_started' then occurred_at end)
                as checkout_started_at,
            max(case when event_type = 'order_placed' then occurred_at end) as placed_at,
            min_by(
                order_id,
                case when event_type = 'order_placed' and order_id is not null then newness end
            ) as placed_order_id
        from cart_events
        group by cart_key
        having count(case when event_type = 'add_to_cart' then 1 end) > 0
    ),

    cart_orders as (
        select
            store,
            cart_id,
            ordered_at,
            order_id
        from known_orders
        where cart_id is not null
        qualify
            row_number() over (
                partition by store, cart_id
                order by ordered_at desc nulls last, order_id desc nulls last
            ) = 1
    ),

    later_orders as (
        select
            carts.cart_key,
            min(known_orders.ordered_at) as customer_ordered_at
        from carts
        inner join known_orders
            on
                carts.customer_key = known_orders.customer_key
                and carts.last_added_at <= known_orders.ordered_at
        group by carts.cart_key
    )

    select
        carts.cart_key,
        carts.store,
        carts.cart_id,
        carts.customer_key,
        carts.first_added_at,
        carts.last_added_at,
        carts.last_activity_at,
        carts.checkout_started_at,
        contents.product_count,
        cast(contents.quantity as decimal(18, 4)) as quantity,
        {{ lettershop.money('contents.base_amount') }} as cart_base_amount,
        coalesce(cart_orders.ordered_at, carts.placed_at) as ordered_at,
        coalesce(cart_orders.order_id, carts.placed_order_id) as order_id,
        later_orders.customer_ordered_at,
        contents.product_count = 0 as is_emptied,
        contents.product_count > 0
        and cart_orders.ordered_at is null
        and carts.placed_at is null
        and later_orders.customer_ordered_at is null as is_open
    from carts
    inner join contents on carts.cart_key = contents.cart_key
    left join cart_orders
        on carts.store = cart_orders.store and carts.cart_id = cart_orders.cart_id
    left join later_orders on carts.cart_key = later_orders.cart_key
    )
{%- endmacro %}
