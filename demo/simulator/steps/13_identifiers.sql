-- Which identifiers are whose, and which of them a perfect resolver could link: the connected
-- components of a person's own unshared identifiers, by landing rows in which they stand together.
-- An identifier of a person is a bit:
--   0, 1, 2     customer_id of the first, second, returned account
--   3, 4        esp_contact_id, that of the old address
--   5, 6, 7, 8  e-mail, that of the second account, of the old contact, with a letter too many
--   9           phone
--   10 to 12    devices (anonymous_id); 13 is the one of the other person in the household
create macro account_bit(account_no) as 1 << cast(account_no // 1000000000
    - case when account_no >= 2000000000 then 1 else 0 end as integer);
create macro device_bit(device_no, person_no) as
    case when device_no // 4 = person_no then 1024 << cast(device_no % 4 as integer) else 8192 end;

create table order_masks as
select
    order_no,
    person_no,
    coalesce(account_bit(account_no), 0)
    | case
        when given_email is null then 0
        when is_guest and pick(100, 'typo', order_no) = 0 then 256
        when account_kind in ('same phone', 'same device') then 64
        else 32
    end
    | case when given_phone is null then 0 else 512 end as mask
from orders left join accounts using (person_no, account_no);

-- What stands together in a row.
create table masks as
select
    person_no,
    account_bit(account_no)
    | case when account_kind in ('same phone', 'same device') then 64 else 32 end
    | case when phone is null then 0 else 512 end as mask
from accounts
union
select person_no, 1 | 2 from accounts
where
    merged_into_account_no is not null
    and later(created_at, 86400 * (20 + 300 * u('record changes', account_no))) < clock()
union
select
    person_no,
    8 | 32
    | case when kind = 'account' and pick(8, 'no external id', person_no) > 0 then 1 else 0 end
    | case
        when kind = 'account' and pick(3, 'contact phone', person_no) = 0 and phone is not null
            then 512
        else 0
    end
from subscriptions inner join people using (person_no)
where granted_at < clock() - interval 2 hours
union
select person_no, unnest([16 | 8, 16 | 128]) from subscriptions
where granted_at < clock() - interval 2 hours and pick(200, 'old contact', person_no) = 0
union
select person_no, mask from order_masks where mask > 0
union
-- Visits of those who allow tracking tell whose the device is; others only that it is there.
select
    sessions.person_no,
    device_bit(device_no, sessions.person_no)
    | case
        when not is_tracking_allowed then 0
        else
            coalesce(account_bit(account_no), 0)
            | case when campaign_no is not null then 8 else 0 end
            | coalesce(mask, 0)
    end
from sessions left join order_masks using (order_no);

-- Who has which identifier.
create table holdings as
with bits as (
    select
        person_no,
        cast(bit as integer) as bit
    from (select person_no, bit_or(mask) as mask from masks group by person_no)
    cross join range(14) as bits (bit)
    where mask >> cast(bit as integer) & 1 = 1
)

select
    people.person_no,
    1 << bit as mask,
    case
        when bit < 3 then 'customer_id'
        when bit < 5 then 'esp_contact_id'
        when bit < 9 then 'email'
        when bit = 9 then 'phone'
        else 'anonymous_id'
    end as identifier_type,
    case bit
        when 0 then id('c', people.person_no)
        when 1 then id('c', 2000000000 + people.person_no)
        when 2 then id('c', 3000000000 + people.person_no)
        when 3 then id('k', people.person_no)
        when 4 then id('k', 2000000000 + people.person_no)
        when 5 then people.email
        when 6 then second.email
        when 7 then 'old.' || people.email
        when 8 then people.email[1] || people.email
        when 9 then people.phone
        when 13 then id('a', (people.person_no - 1) * 4)
        else id('a', people.person_no * 4 + bit - 10)
    end as identifier,
    case bit
        when 5 then is_sharing_inbox
        when 10 then is_sharing_device and people.person_no % 2 = 1
            and people.person_no + 1 in (select person_no from masks where mask & 8192 > 0)
        when 13 then people.person_no - 1 in (select person_no from masks where mask & 1024 > 0)
        else false
    end as is_shared
from bits
inner join people using (person_no)
left join accounts as second on second.account_no = 2000000000 + people.person_no;

-- Rows that have an unshared identifier in common grow together until nothing changes. Erased
-- people are left out: nobody may link them any more.
create table components as
with unshared as (
    select distinct
        person_no,
        masks.mask & coalesce(~shared.mask, 16383) as mask
    from masks
    left join (
        select person_no, bit_or(mask) as mask from holdings where is_shared group by person_no
    ) as shared using (person_no)
    where person_no not in (select person_no from people where erasure_day_no is not null)
),

grown_once as (
    select a.person_no, bit_or(b.mask) as mask
    from unshared as a inner join unshared as b on a.person_no = b.person_no and a.mask & b.mask > 0
    group by a.person_no, a.mask
),

grown_twice as (
    select a.person_no, bit_or(b.mask) as mask
    from (select distinct * from grown_once) as a
    inner join (select distinct * from grown_once) as b
        on a.person_no = b.person_no and a.mask & b.mask > 0
    group by a.person_no, a.mask
),

grown as (
    select distinct a.person_no, bit_or(b.mask) as mask
    from (select distinct * from grown_twice) as a
    inner join (select distinct * from grown_twice) as b
        on a.person_no = b.person_no and a.mask & b.mask > 0
    group by a.person_no, a.mask
)

select
    grown.person_no,
    holdings.identifier_type,
    holdings.identifier,
    grown.person_no * 16384::bigint + grown.mask as component
from grown
inner join holdings
    on grown.person_no = holdings.person_no and grown.mask & holdings.mask > 0
    and not is_shared;

drop table masks;
drop table order_masks;

-- What each message was worth in orders, for whom it could be.
create table message_chances as
select message_no, max(chance) as chance
from (
    select message_no, chance from prospect_effects
    union all
    select message_no, chance from buyer_effects
)
group by message_no;
