{{ config(live_table()) }}

-- Grain: customer and fall of a product's price since the customer looked at it and did not buy
-- it. Of several falls the one that made the difference large enough; not if the price has risen
-- again. The first price that is known stands for the time before it. Nobody is told of a sensitive
-- product.
with rules as (
    select * from {{ live_trigger_rules() }} as live_rules
    where trigger_type = 'price_fallen'
),

recipients as (
    select * from {{ ref('trigger_recipients') }}
    where may_be_profiled
),

thresholds as (
    select
        {{ trigger_threshold('price_fallen', 'fall_rate') }} as fall_rate,
        cast({{ trigger_threshold('price_fallen', 'view_days') }} as integer) as view_days
    from {{ ref('trigger_thresholds') }}
),

products as (
    select * from {{ ref('dim_products') }}
),

prices as (
    select
        *,
        lag(list_price) over (partition by product_key order by seen_at) as previous_price,
        lag(seen_at) over (partition by product_key order by seen_at) is null as is_first,
        lead(seen_at) over (partition by product_key order by seen_at) as ended_at
    from {{ ref('product_prices') }}
),

falls as (
    select
        rules.trigger_type,
        prices.product_key,
        prices.list_price,
        prices.previous_price,
        prices.currency,
        prices.seen_at,
        thresholds.fall_rate,
        {{ dbt.dateadd('day', '-thresholds.view_days', 'prices.seen_at') }} as viewed_from_at,
        products.product_id
    from prices
    inner join rules on prices.seen_at > rules.since_at
    inner join products
        on
            prices.product_key = products.product_key
            and prices.list_price >= products.list_price
            and products.is_active
            and not products.is_sensitive
    cross join thresholds
    where prices.list_price < prices.previous_price
),

views as (
    select
        falls.product_key,
        falls.seen_at,
        events.customer_key,
        max(events.occurred_at) as viewed_at
    from {{ ref('fct_web_events') }} as events
    inner join falls
        on
            events.product_key = falls.product_key
            and events.occurred_at >= falls.viewed_from_at
            and events.occurred_at < falls.seen_at
    inner join recipients on events.customer_key = recipients.customer_key
    where events.event_type = 'product_view'
    group by falls.product_key, falls.seen_at, events.customer_key
),

purchases as (
    select
        order_lines.customer_key,
        order_lines.product_key,
        max(order_lines.ordered_at) as last_ordered_at
    from {{ ref('fct_order_lines') }} as order_lines
    inner join falls on order_lines.product_key = falls.product_key
    where order_lines.is_valid and order_lines.customer_key is not null
    group by order_lines.customer_key, order_lines.product_key
),

final as (
    select
        falls.trigger_type,
        cast(null as varchar) as segment_id,
        views.customer_key,
        falls.product_key || '/' || {{ time_text('falls.seen_at') }} as cause,
        falls.seen_at as occurred_at,
        {{ json_text([
            ['product_id', 'falls.product_id', true],
            ['price', 'falls.list_price', false],
            ['price_when_viewed', 'seen_prices.list_price', false],
            ['currency', 'falls.currency', true],
        ]) }} as context
    from views
    inner join falls on views.product_key = falls.product_key and views.seen_at = falls.seen_at
    inner join prices as seen_prices
        on
            views.product_key = seen_prices.product_key
            and (seen_prices.is_first or views.viewed_at >= seen_prices.seen_at)
            and coalesce(views.viewed_at < seen_prices.ended_at, true)
            and coalesce(falls.currency, '') = coalesce(seen_prices.currency, '')
    left join purchases
        on
            views.customer_key = purchases.customer_key
            and views.product_key = purchases.product_key
            and falls.viewed_from_at <= purchases.last_ordered_at
    where
        purchases.customer_key is null
        and falls.list_price <= seen_prices.list_price * (1 - falls.fall_rate)
        and falls.previous_price > seen_prices.list_price * (1 - falls.fall_rate)
)

select * from final
