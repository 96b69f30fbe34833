-- Grain: event of a cart: put in, taken out, checkout begun, order placed. A cart is what the site
-- calls one (cart_id); without an id, what one device, or else one known customer, does on one day.
-- Events of visitors that nobody can tell apart belong to no cart. Prices are those of the event,
-- else the list's.
with events as (
    select * from {{ ref('fct_web_events') }}
    where
        event_type in ('add_to_cart', 'remove_from_cart', 'checkout_started', 'order_placed')
        and coalesce(cart_id, anonymous_id, customer_key) is not null
),

products as (
    select * from {{ ref('dim_products') }}
),

rates as (
    select * from {{ ref('stg_reference__fx_rates') }}
),

priced as (
    select
        events.*,
        coalesce(events.unit_price, products.list_price) as known_price,
        case when events.unit_price is not null then events.currency else products.currency end
            as known_currency
    from events
    left join products on events.product_key = products.product_key
),

final as (
    select
        priced.store,
        priced.event_id,
        case
            when priced.cart_id is not null
                then {{ entity_key(["'cart'", 'priced.store', 'priced.cart_id']) }}
            when priced.anonymous_id is not null
                then
                    {{ entity_key([
                        "'device'", 'priced.store', 'priced.anonymous_id',
                        'cast(priced.event_date as varchar)',
                    ]) }}
            else
                {{ entity_key([
                    "'customer'", 'priced.store', 'priced.customer_key',
                    'cast(priced.event_date as varchar)',
                ]) }}
        end as cart_key,
        priced.cart_id,
        priced.customer_key,
        priced.event_type,
        priced.product_key,
        priced.quantity,
        {{ money(product_of(
            'priced.known_price',
            "case when priced.known_currency = '" ~ var('base_currency') ~ "' then 1"
            ~ ' else rates.rate_to_base end'
        )) }} as base_unit_price,
        priced.order_id,
        priced.occurred_at,
        priced.event_date
    from priced
    left join rates
        on
            priced.store = rates.store
            and priced.known_currency = rates.currency
            and priced.event_date >= rates.rate_date
            and priced.event_date < rates.valid_until_date
)

select * from final
