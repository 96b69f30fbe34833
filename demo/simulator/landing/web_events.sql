-- Visits unrolled into events: looks around, then a view and an addition per product of the cart,
-- then removal or checkout, then the order, which ends the visit. A sign-up is one more event.
with deliveries as (
    select * from sessions where is_in_part(loaded_at)
    union all
    select * from sessions where repetition = 'twice' and is_in_part(loaded_at)
    union all
    select * replace (loaded_at + interval 1 day as loaded_at)
    from sessions where repetition = 'again' and is_in_part(loaded_at + interval 1 day)
),

-- Sorted before they are unrolled: that is a fifth of the rows. What follows keeps the order; a
-- join would not.
visits_in_order as (
    select
        *,
        id('w', session_no) || '-' as event_id_begins,
        id('a', device_no) as anonymous_id,
        id('c', account_no) as customer_id,
        -- One of the two trackers does not count visits.
        case when pick(2, 'tracker', device_no) = 0 then id('s', session_no) end as session_id,
        id('b', cart_no) as cart_id,
        case when campaign_no is not null then id('k', person_no) end as esp_contact_id,
        view_count + 2 * product_count as cart_end,
        signed_up_at is not null as has_sign_up
    from deliveries
    inner join currencies using (currency_no)
    order by loaded_at, session_no
),

unrolled as (
    select
        *,
        cast(unnest(range(event_count + has_sign_up::integer)) as integer) as place
    from visits_in_order
),

events as (
    select
        *,
        case
            when place < view_count
                then case
                    when place = 0 then 'page_view'
                    when place = 1 and account_no is not null and not has_sign_up then 'login'
                    when u('event', session_no, place) < 0.62 then 'product_view'
                    when u('event', session_no, place) < 0.77 then 'search'
                    else 'page_view'
                end
            when place < cart_end
                then if((place - view_count) % 2 = 0, 'product_view', 'add_to_cart')
            when place = event_count then 'signup'
            when place = cart_end and has_removal then 'remove_from_cart'
            when place = cart_end and has_checkout then 'checkout_started'
            else 'order_placed'
        end as event_type,
        event_type in ('product_view', 'add_to_cart', 'remove_from_cart') as has_product,
        case
            when place = event_count then signed_up_at
            else later(
                starts_at,
                -- All but the first and the order come a bit before their beat.
                place * pace - case
                    when place = 0 or event_type = 'order_placed' then 0
                    else 0.7 * pace * u('beat', session_no, place)
                end
            )
        end as occurred_at,
        -- In the cart: its first, second, ... product. Else anything, a new draw for each event.
        if(place < view_count, session_no, cart_no) as product_key,
        case
            when place < view_count then 100 + place
            when place = cart_end then product_count - 1
            else (place - view_count) // 2
        end as product_place
    from unrolled
),

with_products as (
    select
        *,
        case when has_product then product_for(
            product_key, product_place, favourite_category, second_category, favourite_brand
        ) end as product_no
    from events
),

with_ids as (
    select
        *,
        case when has_product then id('p', product_no) end as product_id
    from with_products
)

select
    event_id_begins || place as event_id,
    anonymous_id,
    -- Known from logging in, signing up, or checking out.
    case
        when place > 0 and (not has_sign_up or place >= event_count - kind) then customer_id
    end as customer_id,
    case when place = 0 then esp_contact_id end as esp_contact_id,
    case when event_type in ('checkout_started', 'order_placed') then guest_email end as email,
    session_id,
    event_type,
    product_id,
    case when event_type in ('add_to_cart', 'remove_from_cart') then cast(1 as decimal(18, 4)) end
        as quantity,
    case
        when has_product
            then cast(
                tag_factor * cast(
                    price_in(product_no, price_period(product_no, day_of(occurred_at)))
                    as decimal(18, 2)
                ) as decimal(18, 2)
            )
    end as unit_price,
    case when has_product then currency end as currency,
    case
        when event_type in ('add_to_cart', 'remove_from_cart', 'checkout_started', 'order_placed')
            then cart_id
    end as cart_id,
    case when event_type = 'order_placed' then id('o', order_no) end as order_id,
    case
        when event_type = 'search'
            then ['beans', 'lamp', 'towels', 'gift', 'tea', 'tent', 'book', 'sale'][
                1 + session_no // 4 % 8
            ]
    end as search_term,
    case
        when has_product then '/p/' || product_id
        when event_type = 'page_view' and place = 0 then '/'
        when event_type = 'page_view' then '/new'
        when event_type = 'search' then '/search'
    end as page_url,
    case
        when place = 0 and campaign_no is null and session_no % 3 = 0 then 'https://search.example/'
    end as referrer_url,
    case when place = 0 and campaign_no is not null then 'newsletter' end as utm_source,
    case when place = 0 and campaign_no is not null then 'email' end as utm_medium,
    case when place = 0 then campaign_name(campaign_no) end as utm_campaign,
    ['desktop', 'mobile', 'tablet'][1 + device_no % 3] as device_type,
    case
        when event_type in ('page_view', 'product_view')
            then cast(floor(pace * 0.28 * u('engaged', session_no, place)) as integer)
    end as engaged_seconds,
    is_tracking_allowed,
    occurred_at,
    loaded_at
from with_ids
