-- CRM records. Some people have a second one, under the same address, the same phone, or neither;
-- a few come back after their erasure.
create table accounts as
with second_accounts as (
    select
        *,
        case
            when u('double kind', person_no) < 0.3 or (is_sharing_inbox) then 'same e-mail'
            when u('double kind', person_no) < 0.65 and phone is not null then 'same phone'
            else 'same device'
        end as double_kind,
        entry_day_no + 5 + pick(400, 'second account', person_no) as day_no
    from people
    where
        kind = 'account' and erasure_day_no is null
        and u('double', person_no) < parameter('double_account_rate')
)

select
    cast(person_no as bigint) as account_no,
    person_no,
    'first' as account_kind,
    entry_at as created_at,
    email,
    phone,
    null::bigint as merged_into_account_no
from people
where kind = 'account'
union all
select
    2000000000 + person_no as account_no,
    person_no,
    double_kind as account_kind,
    later(starts_at, second_of_day(favourite_hour, hours_ahead, 'second account hour', person_no)),
    case
        when double_kind = 'same e-mail' then email
        else lower(first_name[1]) || lower(last_name) || person_no || '@example.org'
    end,
    case when double_kind <> 'same device' then phone end,
    case when pick(5, 'merged', person_no) = 0 then person_no end as merged_into_account_no
from second_accounts
inner join days using (day_no)
union all
select
    3000000000 + person_no as account_no,
    person_no,
    'returned' as account_kind,
    later(starts_at, second_of_day(favourite_hour, hours_ahead, 'return hour', person_no)),
    email,
    phone,
    null as merged_into_account_no
from people
inner join days on days.day_no = people.erasure_day_no + 20 + pick(40, 'return', person_no)
where pick(5, 'returns', person_no) = 0;

-- What people said about e-mail of their own accord. A shared inbox says it once.
create table subscriptions as
with granted as (
    select
        person_no,
        erasure_day_no,
        later(entry_at, 30) as granted_at
    from people
    where
        (
            kind = 'account' and u('consent', person_no) < parameter('email_consent_rate')
            and not (is_sharing_inbox and person_no % 2 = 0)
        )
        or kind = 'lead'
)

select
    person_no,
    granted_at,
    case
        when u('withdraws', person_no) < 0.09
            then later(granted_at, 86400 * (1 + 200 * exponential('withdrawal', person_no)))
    end as withdrawn_at,
    -- Nothing is sent to people who were erased.
    erased.starts_at as erased_at
from granted
left join days as erased on granted.erasure_day_no = erased.day_no;
