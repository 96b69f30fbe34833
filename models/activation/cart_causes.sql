-- Grain: cart left behind, of a customer who may get behavioural triggers, while it is not too late
-- to write. An order takes the cause away: of this cart, or any other since.
with rules as (
    select * from {{ live_trigger_rules() }} as live_rules
    where trigger_type = 'cart_abandoned'
),

recipients as (
    select * from {{ ref('trigger_recipients') }}
    where may_be_profiled
),

products as (
    select * from {{ ref('dim_products') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
    where is_valid
),

events as (
    select * from {{ ref('fct_web_events') }}
    where
        cart_id is not null
        and event_type in ('add_to_cart', 'remove_from_cart', 'checkout_started')
),

carts as (
    select
        events.store,
        events.cart_id,
        rules.trigger_type,
        max(events.customer_key) as customer_key,
        max(events.occurred_at) as last_activity_at
    from events
    cross join rules
    group by events.store, events.cart_id, rules.trigger_type, rules.since_at
    having max(events.occurred_at) > rules.since_at
),

items as (
    select
        events.store,
        events.cart_id,
        products.product_id,
        sum(
            case when events.event_type = 'remove_from_cart' then -1 else 1 end
            * coalesce(events.quantity, 1)
        ) as quantity
    from events
    inner join carts on events.store = carts.store and events.cart_id = carts.cart_id
    inner join products on events.product_key = products.product_key
    where events.event_type <> 'checkout_started'
    group by events.store, events.cart_id, products.product_id
),

contents as (
    select
        store,
        cart_id,
        {{ json_list(
            json_text([
                ['product_id', 'product_id', true],
                ['quantity', 'cast(quantity as decimal(18, 2))', false],
            ]),
            'product_id'
        ) }} as items
    from items
    where quantity > 0
    group by store, cart_id
),

last_orders as (
    select
        customer_key,
        max(ordered_at) as last_ordered_at
    from orders
    group by customer_key
),

ordered_carts as (
    select distinct
        store,
        cart_id
    from orders
    where cart_id is not null
),

final as (
    select
        carts.trigger_type,
        cast(null as varchar) as segment_id,
        carts.customer_key,
        carts.store || '/' || carts.cart_id as cause,
        carts.last_activity_at as occurred_at,
        {{ json_text([
            ['cart_id', 'carts.cart_id', true],
            ['items', 'contents.items', false],
        ]) }} as context
    from carts
    inner join contents on carts.store = contents.store and carts.cart_id = contents.cart_id
    inner join recipients on carts.customer_key = recipients.customer_key
    left join ordered_carts
        on carts.store = ordered_carts.store and carts.cart_id = ordered_carts.cart_id
    left join last_orders on carts.customer_key = last_orders.customer_key
    where
        ordered_carts.cart_id is null
        and coalesce(last_orders.last_ordered_at < carts.last_activity_at, true)
)

select * from final
