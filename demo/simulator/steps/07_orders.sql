-- Who orders on which day. In terms of season passed, orders are a Poisson process of rate rho up
-- to the first order and lambda from the day after it; a delivered campaign message adds a process
-- of rate (effect x rate) on its days. Several arrivals on a day are one order.
create view effects as
select
    campaign_messages.message_no,
    campaign_messages.person_no,
    campaign_messages.day_no,
    campaign_messages.sent_at,
    campaign_messages.variant,
    campaign_messages.campaign_kind,
    campaign_messages.is_holdout,
    case campaign_kind || variant
        when 'newslettera' then parameter('effect_newsletter_a')
        when 'newsletterb' then parameter('effect_newsletter_b')
        when 'promoa' then parameter('effect_promo_a')
        else parameter('effect_promo_b')
    end as effect
from campaign_messages
where fate in ('delivered', 'unsubscribed', 'complained');

-- What messages add, for people in a state with a rate: from_day_no to until_day_no - 1.
create macro arrivals_of_effects(people_in_state, purpose) as table
select
    message_no,
    person_no,
    is_holdout,
    favourite_weekday,
    opening.passed + exponential(purpose, message_no) / (effect * rate) as arrival,
    closing.passed_after as passed_until,
    1 - exp(-effect * rate * (closing.passed_after - opening.passed)) as chance
from (
    select
        effects.*,
        people.rate,
        people.favourite_weekday,
        greatest(effects.day_no, people.from_day_no) as from_day_no,
        least(effects.day_no + cast(parameter('effect_days') as integer), people.until_day_no) - 1
            as last_effect_day_no
    from effects
    inner join query_table(people_in_state) as people using (person_no)
    where
        effects.day_no < people.until_day_no
        and effects.day_no + parameter('effect_days') > people.from_day_no
) as windows
inner join seasons as opening using (favourite_weekday)
inner join seasons as closing using (favourite_weekday)
where opening.day_no = from_day_no and closing.day_no = last_effect_day_no;

-- People who sign up before they buy wait for their first order.
create table prospects as
select
    person_no,
    first_rate as rate,
    favourite_weekday,
    entry_day_no + 1 as from_day_no,
    last_day_no as until_day_no
from people
where kind in ('account', 'lead') and not is_signed_up_by_buying and entry_day_no + 1 < last_day_no;

create table prospect_effects as from arrivals_of_effects('prospects', 'caused first');

create table first_orders as
with arrivals as (
    select
        prospects.person_no,
        seasons.passed + exponential('first', prospects.person_no) / prospects.rate as arrival,
        null::bigint as message_no
    from prospects
    inner join seasons
        on prospects.favourite_weekday = seasons.favourite_weekday
        and prospects.from_day_no = seasons.day_no
    union all
    select person_no, arrival, message_no from prospect_effects
    where arrival < passed_until and not is_holdout
),

firsts as (
    select
        person_no,
        min(arrival) as arrival,
        arg_min_null(message_no, arrival) as message_no
    from arrivals
    group by person_no
)

select
    firsts.person_no,
    seasons.day_no,
    firsts.message_no
from firsts
inner join prospects using (person_no)
asof join seasons
    on prospects.favourite_weekday = seasons.favourite_weekday and firsts.arrival >= seasons.passed
where seasons.day_no < prospects.until_day_no and firsts.arrival < seasons.passed_after
union all
select
    person_no,
    entry_day_no as day_no,
    null::bigint as message_no
from people
where is_signed_up_by_buying;

create table buyers as
select
    person_no,
    repeat_rate as rate,
    favourite_weekday,
    day_no + 1 as from_day_no,
    last_day_no as until_day_no
from people
inner join first_orders using (person_no)
where day_no + 1 < last_day_no;

create table buyer_effects as from arrivals_of_effects('buyers', 'caused');

-- Walk from arrival to arrival until the person is gone.
create table repeat_orders as
with recursive arrivals as (
    select
        buyers.person_no,
        buyers.favourite_weekday,
        buyers.rate,
        1 as n,
        opening.passed + exponential('repeat', buyers.person_no, 1) / buyers.rate as arrival,
        closing.passed_after as passed_until
    from buyers
    inner join seasons as opening
        on buyers.favourite_weekday = opening.favourite_weekday
        and buyers.from_day_no = opening.day_no
    inner join seasons as closing
        on buyers.favourite_weekday = closing.favourite_weekday
        and buyers.until_day_no - 1 = closing.day_no
    where arrival < passed_until
    union all
    select
        person_no,
        favourite_weekday,
        rate,
        n + 1 as n,
        arrival + exponential('repeat', person_no, n + 1) / rate as next_arrival,
        passed_until
    from arrivals
    where next_arrival < passed_until
),

both_kinds as (
    select person_no, favourite_weekday, arrival, null::bigint as message_no from arrivals
    union all
    select person_no, favourite_weekday, arrival, message_no from buyer_effects
    where arrival < passed_until and not is_holdout
)

select
    person_no,
    day_no,
    -- A day that would have had an order anyway is nobody's doing.
    case when count(message_no) = count(*) then min(message_no) end as message_no
from both_kinds
asof join seasons
    on both_kinds.favourite_weekday = seasons.favourite_weekday
    and both_kinds.arrival >= seasons.passed
group by person_no, day_no;

create table orders as
with numbered as (
    select
        *,
        row_number() over (partition by person_no order by day_no) - 1 as place
    from (from first_orders union all from repeat_orders)
),

placed as (
    select
        numbered.person_no * 512::bigint + place as order_no,
        numbered.place,
        numbered.day_no,
        numbered.message_no,
        people.* exclude (last_day_no),
        case
            when place = 0 and is_signed_up_by_buying then later(entry_at, 20)
            else later(
                starts_at,
                second_of_day(favourite_hour, hours_ahead, 'order hour', order_no)
            )
        end as drawn_at,
        later(starts_at, 86400) as day_ends_at,
        case
            when numbered.message_no is not null then 'web'
            when u('channel', order_no) < 0.64 then 'web'
            when u('channel', order_no) < 0.77 then 'app'
            when u('channel', order_no) < 0.95 then 'pos'
            when u('channel', order_no) < 0.98 then 'marketplace'
            else 'subscription'
        end as sales_channel
    from numbered
    inner join people using (person_no)
    inner join days on numbered.day_no = days.day_no
),

timed as (
    select
        placed.* exclude (drawn_at, day_ends_at),
        -- An order that a message brought about comes after it.
        case
            when drawn_at < later(effects.sent_at, 900)
                then later(
                    effects.sent_at,
                    900 + u('same day', order_no)
                    * (epoch(day_ends_at) - epoch(effects.sent_at) - 1000)
                )
            else drawn_at
        end as ordered_at,
        kind <> 'account'
        or (
            not (place = 0 and is_signed_up_by_buying)
            and u('guest', order_no)
            < parameter('guest_order_rate') + case when sales_channel = 'pos' then 0.15 else 0 end
        ) as is_guest
    from placed
    left join effects on placed.message_no = effects.message_no
),

with_accounts as (
    select
        timed.*,
        not is_guest and second.account_no is not null and u('which account', order_no) < 0.6
            as is_by_second,
        second.account_no as second_account_no,
        second.email as second_email,
        second.phone as second_phone,
        parameter('consideration_days_mean') * exponential('consideration', order_no)
            as consideration_days
    from timed
    left join accounts as second
        on second.account_no = 2000000000 + timed.person_no
        and second.created_at < timed.ordered_at
)

select
    order_no,
    person_no,
    place,
    day_no,
    ordered_at,
    sales_channel,
    message_no,
    is_guest,
    case when is_by_second then second_account_no when not is_guest then person_no end
        as account_no,
    -- What was typed at the checkout. One guest address in a hundred has a letter too many.
    case
        when is_guest and (phone is null or u('guest identifier', order_no) < 0.85)
            then if(pick(100, 'typo', order_no) = 0, email[1], '') || email
        when not is_guest and u('states e-mail', order_no) < 0.6
            then if(is_by_second, second_email, email)
    end as given_email,
    case
        when is_guest and given_email is null then phone
        when u('states phone', order_no) < 0.3 then if(is_by_second, second_phone, phone)
    end as given_phone,
    favourite_category,
    second_category,
    favourite_brand,
    price_sensitivity,
    currency_no,
    case
        when u('lines', order_no) < 0.42 then 1
        when u('lines', order_no) < 0.70 then 2
        when u('lines', order_no) < 0.88 then 3
        else 4
    end as product_count,
    case
        when
            sales_channel in ('web', 'app') and consideration_days < 7
            and u('considers', order_no) < parameter('consideration_rate')
            then later(ordered_at, -86400 * consideration_days - 7200)
    end as considered_at,
    considered_at > getvariable('opening')
    and u('consideration cart', order_no) < parameter('consideration_cart_rate')
        as is_cart_considered,
    -- A cart is numbered like the session that filled it first; see the next step.
    order_no * 4 + case when is_cart_considered then 2 else 1 end as cart_no
from with_accounts;
