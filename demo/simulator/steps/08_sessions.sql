-- Visits. Numbered (person * 512 + place) * 4 + kind, where kind is 0 for background and sign-up,
-- 1 for the visit of an order, 2 for a consideration before it, 3 for a click in a message.
-- Background visits are a Poisson process of rate nu in season passed, while alive.
create table background_visits as
with recursive arrivals as (
    select
        people.person_no,
        people.favourite_weekday,
        people.browse_rate,
        0 as place,
        opening.passed + exponential('browse', people.person_no, 0) / browse_rate as arrival,
        closing.passed_after as passed_until
    from people
    inner join seasons as opening
        on people.favourite_weekday = opening.favourite_weekday
        -- Who signs up on a day begins to look around on the next.
        and people.entry_day_no + case when people.kind in ('account', 'guest') then 1 else 0 end
        = opening.day_no
    inner join seasons as closing
        on people.favourite_weekday = closing.favourite_weekday
        and people.last_day_no - 1 = closing.day_no
    where arrival < passed_until
    union all
    select
        person_no,
        favourite_weekday,
        browse_rate,
        place + 1 as place,
        arrival + exponential('browse', person_no, place + 1) / browse_rate as next_arrival,
        passed_until
    from arrivals
    where next_arrival < passed_until and place < 500
)

select
    arrivals.person_no,
    arrivals.place,
    seasons.day_no
from arrivals
asof join seasons
    on arrivals.favourite_weekday = seasons.favourite_weekday
    and arrivals.arrival >= seasons.passed;

create table visits as
with all_visits as (
    select
        (person_no * 512::bigint + place) * 4 as session_no,
        person_no,
        0 as kind,
        later(days.starts_at, second_of_day(favourite_hour, hours_ahead, 'visit hour', session_no))
            as starts_at,
        case when people.kind <> 'visitor' then u('background cart', session_no) else 0 end
            > 1 - parameter('background_cart_rate') as has_cart,
        case when has_cart then session_no end as cart_no,
        case
            when not has_cart then 0 when pick(3, 'cart products', session_no) = 0 then 2 else 1
        end as product_count,
        has_cart and pick(4, 'abandoned checkout', session_no) = 0 as has_checkout,
        has_cart and not has_checkout and pick(5, 'removed', session_no) = 0 as has_removal,
        null::bigint as order_no,
        null::bigint as message_no,
        null::bigint as account_no,
        null::varchar as guest_email,
        null::timestamp as signed_up_at
    from background_visits
    inner join people using (person_no)
    inner join days using (day_no)
    union all by name
    select
        order_no * 4 + 1 as session_no,
        person_no,
        1 as kind,
        ordered_at as starts_at,
        true as has_cart,
        cart_no,
        product_count,
        true as has_checkout,
        false as has_removal,
        order_no,
        message_no,
        account_no,
        case when is_guest and u('says who', order_no) < 0.6 then given_email end as guest_email,
        case
            when place = 0 and not is_guest and is_signed_up_by_buying
                then later(ordered_at, -20)
        end as signed_up_at
    from orders
    inner join (select person_no, is_signed_up_by_buying from people) using (person_no)
    where sales_channel in ('web', 'app')
    union all by name
    select
        order_no * 4 + 2 as session_no,
        person_no,
        2 as kind,
        considered_at as starts_at,
        is_cart_considered as has_cart,
        case when is_cart_considered then cart_no end as cart_no,
        case when is_cart_considered then product_count else 0 end as product_count,
        false as has_checkout,
        false as has_removal
    from orders
    where considered_at > getvariable('opening')
    union all by name
    -- The visit in which somebody signs up, where it is not at a checkout.
    select
        (accounts.person_no * 512::bigint + 511 - account_no // 1000000000) * 4 as session_no,
        accounts.person_no,
        0 as kind,
        later(created_at, -120) as starts_at,
        false as has_cart,
        0 as product_count,
        false as has_checkout,
        false as has_removal,
        account_no,
        created_at as signed_up_at
    from accounts
    inner join people using (person_no)
    where
        (account_kind <> 'first' or not is_signed_up_by_buying)
        and (account_kind = 'same device' or pick(4, 'signs up in a shop', account_no) > 0)
)

-- Orders, sign-ups and considerations stay; a background visit close to another goes.
select *
from all_visits
window by_time as (partition by person_no order by starts_at, session_no)
qualify
    kind <> 0
    or signed_up_at is not null
    or (
        starts_at < clock() - interval 1 hour
        and coalesce(starts_at > lag(starts_at) over by_time + interval 2 hours, true)
        and coalesce(starts_at < lead(starts_at) over by_time - interval 2 hours, true)
    );

drop table background_visits;
