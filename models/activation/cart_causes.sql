{{ config(live_table()) }}

-- Grain: cart left behind, of a customer who may get behavioural triggers, while it is not too late
-- to write. An order takes the cause away: of this cart, or any other since. Sensitive products are
-- not mentioned, and a cart of nothing else is no cause.
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

carts as (
    select
        carts.*,
        rules.trigger_type
    from {{ ref('fct_carts') }} as carts
    inner join rules on carts.last_activity_at > rules.since_at
    inner join recipients on carts.customer_key = recipients.customer_key
    where carts.is_open
),

cart_events as (
    select cart_events.*
    from {{ ref('fct_cart_events') }} as cart_events
    inner join carts on cart_events.cart_key = carts.cart_key
    where cart_events.event_type in ('add_to_cart', 'remove_from_cart')
),

-- A removal that does not say how many takes all of the product out; see carts_as_of.
clearings as (
    select
        cart_key,
        product_key,
        max(occurred_at) as cleared_at
    from cart_events
    where event_type = 'remove_from_cart' and quantity is null
    group by cart_key, product_key
),

items as (
    select
        cart_events.cart_key,
        products.product_id,
        products.is_sensitive,
        sum(
            case when cart_events.event_type = 'remove_from_cart' then -1 else 1 end
            * coalesce(cart_events.quantity, 1)
        ) as quantity
    from cart_events
    inner join products on cart_events.product_key = products.product_key
    left join clearings
        on
            cart_events.cart_key = clearings.cart_key
            and cart_events.product_key = clearings.product_key
    where clearings.cart_key is null or cart_events.occurred_at > clearings.cleared_at
    group by cart_events.cart_key, products.product_id, products.is_sensitive
),

contents as (
    select
        cart_key,
        {{ json_list(
            json_text([
                ['product_id', 'product_id', true],
                ['quantity', 'cast(quantity as decimal(18, 2))', false],
            ]),
            'product_id'
        ) }} as items
    from items
    where quantity > 0 and not is_sensitive
    group by cart_key
),

with_sensitive as (
    select distinct cart_key from items
    where quantity > 0 and is_sensitive
),

final as (
    select
        carts.trigger_type,
        cast(null as varchar) as segment_id,
        carts.customer_key,
        carts.cart_key as cause,
        carts.last_activity_at as occurred_at,
        {{ json_text([
            ['cart_id', 'carts.cart_id', true],
            ['base_amount', 'carts.cart_base_amount', false],
            ['items', "coalesce(contents.items, '[]')", false],
        ]) }} as context
    from carts
    left join contents on carts.cart_key = contents.cart_key
    left join with_sensitive on carts.cart_key = with_sensitive.cart_key
    where contents.cart_key is not null or with_sensitive.cart_key is null
)

select * from final
