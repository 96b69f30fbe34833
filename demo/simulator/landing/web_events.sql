-- Visits unrolled into events: looks around, then a view and an addition per product of the cart,
-- then removal or checkout, then the order, which ends the visit. A sign-up is one more event.
with unrolled as (
    select
        *,
        cast(unnest(range(event_count + (signed_up_at is not null)::integer)) as integer) as place,
        view_count + 2 * product_count as cart_end
    from deliveries
    where is_in_part(loaded_at)
),

events as (
    select
        session_no,
        place,
        person_no,
        device_no,
        kind,
        currency_no,
        cart_no,
        order_no,
        campaign_no,
        guest_email,
        is_tracking_allowed,
        pace,
        loaded_at,
        place >= view_count and place < cart_end as is_about_cart,
        case
            when place = event_count then 'signup'
            when place = 0 then 'page_view'
            when place = 1 and account_no is not null and signed_up_at is null then 'login'
            when place < view_count
                then case
                    when u('event', session_no, place) < 0.62 then 'product_view'
                    when u('event', session_no, place) < 0.77 then 'search'
                    else 'page_view'
                end
            when place < cart_end
                then if((place - view_count) % 2 = 0, 'product_view', 'add_to_cart')
            when place = cart_end and has_removal then 'remove_from_cart'
            when place = cart_end and has_checkout then 'checkout_started'
            else 'order_placed'
        end as event_type,
        case
            when place = event_count then signed_up_at
            when place = event_count - 1 and kind = 1 then later(starts_at, place * pace)
            else later(
                starts_at,
                place * pace + if(place = 0, 0, 0.8 * pace * (u('beat', session_no, place) - 0.9))
            )
        end as occurred_at,
        case when account_no is not null and place > 0
            and (signed_up_at is null or place = event_count or (kind = 1 and place = event_count - 1))
            then account_no end as account_no,
        case
            when event_type in ('add_to_cart', 'remove_from_cart')
                or (event_type = 'product_view' and place >= view_count)
                then product_for(
                    cart_no,
                    if(place = cart_end, product_count - 1, (place - view_count) // 2),
                    favourite_category, second_category, favourite_brand
                )
            when event_type = 'product_view'
                then product_for(
                    session_no, 100 + place, favourite_category, second_category, favourite_brand
                )
        end as product_no
    from unrolled
),

priced as (
    select
        events.*,
        currency,
        cast(round(price * tag_factor, 2) as decimal(18, 2)) as unit_price
    from events
    inner join currencies using (currency_no)
    left join prices
        on events.product_no = prices.product_no
        and prices.period = price_period(events.product_no, day_of(events.occurred_at))
    order by loaded_at, session_no, place
)

select
    id('w', session_no) || '-' || place as event_id,
    id('a', device_no) as anonymous_id,
    case when account_no is not null then id('c', account_no) end as customer_id,
    case when place = 0 and campaign_no is not null then id('k', person_no) end as esp_contact_id,
    case when event_type in ('checkout_started', 'order_placed') then guest_email end as email,
    -- One of the two trackers does not count visits.
    case when device_no % 2 = 0 then id('s', session_no) end as session_id,
    event_type,
    case when product_no is not null then id('p', product_no) end as product_id,
    case when event_type in ('add_to_cart', 'remove_from_cart') then cast(1 as decimal(18, 4)) end
        as quantity,
    unit_price,
    case when unit_price is not null then currency end as currency,
    case
        when is_about_cart and event_type = 'add_to_cart'
            or event_type in ('remove_from_cart', 'checkout_started', 'order_placed')
            then id('b', cart_no)
    end as cart_id,
    case when event_type = 'order_placed' then id('o', order_no) end as order_id,
    case when event_type = 'search'
        then ['beans', 'lamp', 'towels', 'gift', 'tea', 'tent', 'book', 'sale'][1 + pick(8, 'term', session_no)]
    end as search_term,
    case
        when product_no is not null then 'https://shop.example/p/' || id('p', product_no)
        when event_type in ('page_view', 'search')
            then ['https://shop.example/', 'https://shop.example/new', 'https://shop.example/about'][1 + pick(3, 'page', session_no)]
    end as page_url,
    case when place = 0 and campaign_no is null and session_no % 3 = 0
        then 'https://search.example/' end as referrer_url,
    case when place = 0 and campaign_no is not null then 'newsletter' end as utm_source,
    case when place = 0 and campaign_no is not null then 'email' end as utm_medium,
    case when place = 0 then campaign_name(campaign_no) end as utm_campaign,
    ['desktop', 'mobile', 'tablet'][1 + device_no % 3] as device_type,
    case when event_type in ('page_view', 'product_view')
        then cast(floor(pace * u('engaged', session_no, place) * 0.9) as integer) end
        as engaged_seconds,
    is_tracking_allowed,
    occurred_at,
    loaded_at
from priced
