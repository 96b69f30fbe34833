-- Everything said about consent. `speaker` says by which identifier the source knows the person.
with said as (
    select person_no, 'granted' as action, 'email_marketing' as purpose, granted_at as occurred_at,
        'sign-up form' as collected_via, 1 as place
    from subscriptions
    union all
    select person_no, 'requested', 'email_marketing', later(granted_at, -20), 'sign-up form', 2
    from subscriptions where pick(5, 'double opt-in', person_no) < 2
    union all
    select person_no, 'confirmed', 'email_marketing',
        later(granted_at, 60 + 7000 * u('confirms', person_no)), 'double opt-in', 3
    from subscriptions where pick(5, 'double opt-in', person_no) < 2
    union all
    select person_no, 'withdrawn', 'email_marketing', withdrawn_at, 'preference centre', 4
    from subscriptions where withdrawn_at is not null
    union all
    select person_no, 'granted', 'email_marketing', again_at, 'preference centre', 5
    from email_periods where again_at is not null
    union all
    -- A reload of an old export says yes again for people who said no. It must not win.
    select person_no, 'granted', 'email_marketing', later(stops_at, 40 * 86400), 'nightly import', 6
    from email_periods
    where stop_kind = 'withdrawn' and again_at is null and pick(4, 'imported', person_no) = 0
    union all
    select person_no, 'objected', 'profiling',
        later(entry_at, 86400 * (1 + 300 * u('objects', person_no))), 'support', 7
    from people where kind = 'account' and u('objection', person_no) < 0.025
    union all
    select person_no, 'unrestricted', 'profiling',
        later(entry_at, 86400 * (40 + 300 * u('objects', person_no))), 'support', 8
    from people
    where
        kind = 'account' and u('objection', person_no) < 0.025
        and pick(4, 'lifts', person_no) = 0
    union all
    select person_no, if(u('tracks', person_no) < 0.75, 'granted', 'withdrawn'), 'tracking',
        later(entry_at, 10), 'cookie banner', 9
    from people where kind = 'account'
    union all
    select person_no, 'withdrawn', 'email_marketing',
        later(granted_at, 86400 * (5 + 200 * u('leaves list', person_no))), 'preference centre', 10
    from subscriptions where pick(30, 'leaves list', person_no) = 0
),

rendered as (
    select
        id('v', person_no) || '-' || place as event_id,
        case when speaker = 'customer_id' then id('c', person_no) end as customer_id,
        case when speaker = 'email' then email end as email,
        case when speaker = 'esp_contact_id' then id('k', person_no) end as esp_contact_id,
        purpose,
        action,
        case when place = 10 then 'magazine' end as list_id,
        case when action in ('granted', 'confirmed') then 'consent' end as legal_basis,
        'v' || (1 + person_no % 2) as policy_version,
        collected_via,
        if(collected_via = 'nightly import', 'warehouse', 'shop') as source_system,
        occurred_at,
        nightly(occurred_at, hours_late('consent', person_no, place)) as loaded_at
    from said
    inner join people using (person_no)
    cross join lateral (
        select case
            when kind = 'lead' and pick(2, 'speaker', person_no, place) = 0 then 'email'
            when kind = 'lead' then 'esp_contact_id'
            -- A shared inbox says nothing about who spoke.
            when pick(10, 'speaker', person_no, place) < 3 and not is_sharing_inbox then 'email'
            else 'customer_id'
        end as speaker
    ) as speakers
    left join days as erased on people.erasure_day_no = erased.day_no
    where occurred_at < coalesce(erased.starts_at, clock())
),

returned as (
    select
        id('v', account_no) || '-1' as event_id,
        id('c', account_no) as customer_id,
        'email_marketing' as purpose,
        'granted' as action,
        'sign-up form' as collected_via,
        later(created_at, 30) as occurred_at,
        nightly(created_at, 0) as loaded_at
    from accounts where account_kind = 'returned'
)

select * from rendered
union all by name
select * from returned
union all by name
select * from rendered where hash(event_id, 'twice') % 70 = 0
union all by name
select 'bad-' || event_id as event_id, customer_id, email, esp_contact_id, 'something' as purpose,
    action, occurred_at, loaded_at
from rendered where hash(event_id, 'bad') % 1000 = 0
order by loaded_at, event_id
