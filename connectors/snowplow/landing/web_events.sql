-- One row per event; of an event about several products, one per product. Events that no visitor
-- can be told of, and those the contract has no word for, are left out. A page was in front from
-- its view to its last ping: pings are sent only while somebody is there.
{%- set contexts = 'contexts_com_snowplowanalytics_snowplow_' %}
{%- set unstruct = 'unstruct_event_com_snowplowanalytics_snowplow_' %}
with events as (
    select
        event_id,
        event_name,
        user_id,
        coalesce(domain_userid, network_userid) as anonymous_id,
        domain_sessionid,
        coalesce(derived_tstamp, collector_tstamp) as occurred_at,
        load_tstamp,
        page_url,
        page_referrer,
        mkt_source,
        mkt_medium,
        mkt_campaign,
        mkt_content,
        lower(dvce_type) as dvce_type,
        tr_orderid,
        {{ json_text(json_item(contexts ~ 'web_page_1', 0), 'id') }} as page_view_id,
        {{ json_text(unstruct ~ 'ecommerce_snowplow_ecommerce_action_1', 'type') }} as shop_action,
        {{ json_text(json_item(contexts ~ 'ecommerce_cart_1', 0), 'cart_id') }} as cart_id,
        {{ json_text(json_item(contexts ~ 'ecommerce_checkout_step_1', 0), 'step') }} as step,
        {{ json_text(json_item(contexts ~ 'ecommerce_transaction_1', 0), 'transaction_id') }}
            as transaction_id,
        {{ json_text(json_item(contexts ~ 'ecommerce_transaction_1', 0), 'currency') }}
            as transaction_currency,
        {{ json_text(json_item(contexts ~ 'ecommerce_user_1', 0), 'email') }} as email,
        {{ json_text(unstruct ~ 'site_search_1', 'terms[0]') }} as search_term,
        {{ contexts }}ecommerce_product_1 as products
    from {{ raw('events') }} as raw_events
),

typed as (
    select
        events.*,
        case
            when event_name = 'page_view' then 'page_view'
            when event_name = 'site_search' then 'search'
            when event_name = 'transaction' then 'order_placed'
            when shop_action in ('product_view', 'add_to_cart', 'remove_from_cart') then shop_action
            -- Only the first step starts a checkout.
            when shop_action = 'checkout_step' and coalesce(step, '1') = '1'
                then 'checkout_started'
            when shop_action = 'transaction' then 'order_placed'
        end as event_type
    from events
    where
        anonymous_id is not null
        or user_id is not null
        or email is not null
),

pings as (
    select
        page_view_id,
        max(occurred_at) as last_ping_at
    from events
    where event_name = 'page_ping' and page_view_id is not null
    group by page_view_id
),

exploded as (
    select
        typed.*,
        pings.last_ping_at,
        items.position,
        {{ json_text('items.part', 'id') }} as product_id,
        try_cast({{ json_text('items.part', 'quantity') }} as decimal(18, 4)) as quantity,
        try_cast({{ json_text('items.part', 'price') }} as decimal(18, 4)) as unit_price,
        {{ json_text('items.part', 'currency') }} as product_currency
    from (
        select
            typed.*,
            -- What was ordered is in the order.
            case
                when event_type in ('product_view', 'add_to_cart', 'remove_from_cart') then products
            end as shown_products
        from typed
        where event_type is not null
    ) as typed
    left join pings
        on typed.event_type = 'page_view' and typed.page_view_id = pings.page_view_id
    {{ json_elements('typed.shown_products', 'items') }}
)

select
    event_id || case when position > 1 then ':' || cast(position as varchar) else '' end as event_id,
    anonymous_id,
    user_id as customer_id,
    email,
    domain_sessionid as session_id,
    event_type,
    product_id,
    quantity,
    unit_price,
    coalesce(product_currency, transaction_currency) as currency,
    cart_id,
    case when event_type = 'order_placed' then coalesce(transaction_id, tr_orderid) end as order_id,
    search_term,
    page_url,
    page_referrer as referrer_url,
    mkt_source as utm_source,
    mkt_medium as utm_medium,
    mkt_campaign as utm_campaign,
    mkt_content as utm_content,
    case dvce_type when 'computer' then 'desktop' else dvce_type end as device_type,
    case when event_type = 'page_view' then datediff('second', occurred_at, last_ping_at) end
        as engaged_seconds,
    occurred_at,
    load_tstamp as loaded_at
from exploded
