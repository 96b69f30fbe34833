-- One row per event; of an event about several products, one per product. A day counts as its daily
-- table says, and as the intraday table says until that is there. Days change for three more days:
-- everything is read again each time, and the ids are made of what does not change, so that an event
-- that comes again is the same event. There is no `loaded_at`: rows without one are judged anew in
-- every build. Events without a visitor (no consent) and those the contract has no word for are left out.
with exported as (
    select
        exports.*,
        right(export_name, 8) as export_day,
        export_name like 'events_intraday_%' as is_intraday
    from {{ raw('events') }} as exports
),

daily as (
    select distinct export_day
    from exported
    where not is_intraday
),

events as (
    select
        user_id,
        user_pseudo_id,
        event_name,
        event_timestamp,
        {{ content_hash([
            'stream_id', 'user_pseudo_id', 'user_id', 'event_timestamp', 'event_name',
            'batch_page_id', 'batch_ordering_id', 'batch_event_index',
        ]) }} as event_hash,
        user_pseudo_id || '.' || {{ parameter('event_params', 'ga_session_id') }} as session_id,
        {{ parameter('event_params', 'page_location') }} as page_url,
        {{ parameter('event_params', 'page_referrer') }} as referrer_url,
        {{ parameter('event_params', 'search_term') }} as search_term,
        {{ parameter('event_params', 'currency') }} as currency,
        coalesce(
            {{ json_text('ecommerce', 'transaction_id') }},
            {{ parameter('event_params', 'transaction_id') }}
        ) as transaction_id,
        try_cast({{ parameter('event_params', 'engagement_time_msec') }} as bigint) as engaged_msec,
        {{ json_text('privacy_info', 'analytics_storage') }} as analytics_storage,
        {{ json_text('device', 'category') }} as device_type,
        {{ json_text('collected_traffic_source', 'manual_source') }} as utm_source,
        {{ json_text('collected_traffic_source', 'manual_medium') }} as utm_medium,
        {{ json_text('collected_traffic_source', 'manual_campaign_name') }} as utm_campaign,
        {{ json_text('collected_traffic_source', 'manual_content') }} as utm_content,
        items
    from exported
    left join daily on exported.export_day = daily.export_day
    where
        (not exported.is_intraday or daily.export_day is null)
        and (user_pseudo_id is not null or user_id is not null)
),

typed as (
    select
        events.*,
        case event_name
            when 'page_view' then 'page_view'
            when 'view_item' then 'product_view'
            when 'view_search_results' then 'search'
            when 'search' then 'search'
            when 'add_to_cart' then 'add_to_cart'
            when 'remove_from_cart' then 'remove_from_cart'
            when 'begin_checkout' then 'checkout_started'
            when 'purchase' then 'order_placed'
            when 'sign_up' then 'signup'
            when 'login' then 'login'
        end as event_type,
        -- Time spent is sent with whatever event comes next: summed per visit and page, it goes to
        -- the first view of the page.
        sum(engaged_msec) over (partition by session_id, page_url) as page_msec,
        row_number() over (
            partition by session_id, page_url, event_name
            order by event_timestamp, event_hash
        ) as view_no
    from events
),

exploded as (
    select
        typed.*,
        parts.position,
        nullif({{ json_text('parts.part', 'item_id') }}, '(not set)') as product_id,
        try_cast({{ json_text('parts.part', 'quantity') }} as decimal(18, 4)) as quantity,
        try_cast({{ json_text('parts.part', 'price') }} as decimal(18, 4)) as unit_price
    from (
        select
            typed.*,
            -- What was ordered is in the order.
            case
                when event_type in ('product_view', 'add_to_cart', 'remove_from_cart') then items
            end as shown_items
        from typed
        where event_type is not null
    ) as typed
    {{ json_elements('typed.shown_items', 'parts') }}
)

select
    event_hash || case when position > 1 then ':' || cast(position as varchar) else '' end
        as event_id,
    user_pseudo_id as anonymous_id,
    user_id as customer_id,
    session_id,
    event_type,
    product_id,
    quantity,
    unit_price,
    currency,
    case when event_type = 'order_placed' then nullif(transaction_id, '(not set)') end as order_id,
    search_term,
    page_url,
    referrer_url,
    utm_source,
    utm_medium,
    utm_campaign,
    utm_content,
    device_type,
    case
        when event_type = 'page_view' and view_no = 1 and session_id is not null
            then cast(round(page_msec / 1000.0) as bigint)
    end as engaged_seconds,
    case lower(analytics_storage) when 'yes' then true when 'no' then false end
        as is_tracking_allowed,
    {{ from_microseconds('event_timestamp') }} as occurred_at
from exploded
