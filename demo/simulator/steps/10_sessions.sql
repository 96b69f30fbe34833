-- All visits, those after a click too, with the device they came from and what they consist of.
create table sessions as
with all_visits as (
    select * from visits
    union all by name
    -- The visit after a click; where the message led to an order, the order's visit stands for it.
    select
        message_no * 4 + 3 as session_no,
        person_no,
        3 as kind,
        later(clicked_at, 3 + 5 * u('loads', message_no)) as starts_at,
        false as has_cart,
        0 as product_count,
        false as has_checkout,
        false as has_removal,
        message_no,
        campaign_no
    from messages
    where
        clicked_at < clock() - interval 1 hour and ordered_at is null
        and u('visits', message_no) < 0.9
        and not exists (
            select 1 from visits
            where
                visits.person_no = messages.person_no
                and visits.starts_at > messages.clicked_at - interval 2 hours
                and visits.starts_at < messages.clicked_at + interval 2 hours
        )
),

with_people as (
    select
        all_visits.* exclude (account_no),
        case
            when
                u('device', session_no) < 0.65 or people.device_count = 1
                or signed_up_at is not null
                then 0
            else 1 + pick(people.device_count - 1, 'other device', session_no)
        end as device_place,
        case
            when device_place = 0 and is_sharing_device and all_visits.person_no % 2 = 0
                then (all_visits.person_no - 1) * 4
            else all_visits.person_no * 4 + device_place
        end as device_no,
        -- Account holders log in now and then, with either of their accounts.
        case
            when all_visits.account_no is not null or all_visits.kind = 1 then all_visits.account_no
            when
                people.kind = 'account' and starts_at > entry_at
                and u('logs in', session_no) < 0.35
                then case
                    when second.created_at < starts_at and pick(2, 'as whom', session_no) = 0
                        then second.account_no
                    else all_visits.person_no
                end
        end as account_no,
        2 + pick(4, 'views', session_no) as view_count,
        view_count + 2 * product_count + has_checkout::integer + has_removal::integer
        + (all_visits.kind = 1)::integer as event_count,
        -- Seconds from one event to the next: never half an hour. Orders after a message are quick.
        case
            when all_visits.kind = 1 and message_no is not null then 25
            else 25 + 130 * pow(u('pace', session_no), 2)
        end as pace,
        favourite_category,
        second_category,
        favourite_brand,
        currency_no
    from all_visits
    inner join people using (person_no)
    left join accounts as second
        on second.account_no = 2000000000 + all_visits.person_no
)

select
    * exclude (device_place, starts_at, campaign_no),
    -- The visit of an order ends with it.
    case when kind = 1 then later(starts_at, -(event_count - 1) * pace) else starts_at end
        as starts_at,
    later(starts_at, case when kind = 1 then 0 else event_count * pace end) as ends_at,
    u('tracking', device_no) > 0.12 as is_tracking_allowed,
    coalesce(campaign_no, message_no % 512) as campaign_no,
    -- A visit is loaded as a whole: its tracker keeps the events until then.
    hourly(ends_at, hours_late('visit', session_no)) as loaded_at,
    -- Some are delivered twice: at once, or again a day later.
    case pick(140, 'delivery', session_no) when 0 then 'twice' when 1 then 'again' end as repetition
from with_people;

drop table visits;
