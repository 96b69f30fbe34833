-- One row per CRM record, and a newer one where something changed; a few land twice.
with versions as (
    select *, created_at as updated_at, 1 as version from accounts
    union all
    select
        *,
        later(created_at, 86400 * (20 + 300 * u('record changes', account_no))) as updated_at,
        2 as version
    from accounts
    where
        u('record changed', account_no) < 0.2
        or (merged_into_account_no is not null)
),

rendered as (
    select
        id('c', account_no) as customer_id,
        as_typed(versions.email, account_no) as email,
        pick(4, 'verified', account_no) > 0 as is_email_verified,
        case
            when pick(60, 'phone as typed', account_no) = 0
                then versions.phone[:3] || ' ' || versions.phone[4:7] || ' ' || versions.phone[8:]
            else versions.phone
        end as phone,
        first_name,
        last_name,
        case pick(12, 'birth date as typed', person_no)
            when 0 then null
            when 1 then null
            when 2 then strftime(birth_date, '%d.%m.%Y')
            else cast(birth_date as varchar)
        end as birth_date,
        case pick(30, 'gender as typed', person_no)
            when 0 then null when 1 then 'n/a' when 2 then upper(gender) else gender
        end as gender,
        'Town ' || pick(400, 'town', person_no, version) as city,
        case
            when pick(80, 'unknown country', account_no) = 0 then 'somewhere'
            else spellings[1 + pick(4, 'country as typed', account_no)]
        end as country,
        lpad(cast(pick(99999, 'postal code', person_no, version) as varchar), 5, '0')
            as postal_code,
        language,
        case when pick(5, 'no timezone', account_no) > 0 then timezone end as timezone,
        created_at as signed_up_at,
        case
            when is_signed_up_by_buying then 'checkout'
            when pick(4, 'signs up in a shop', account_no) = 0 then 'pos'
            else 'web'
        end as signup_source,
        case when pick(4, 'says what they like', account_no) = 0
            then first_category.category || ', ' || second_category.category
        end as preferred_categories,
        case when version = 2 then id('c', merged_into_account_no) end as merged_into_customer_id,
        updated_at,
        nightly(updated_at, hours_late('record', account_no, version)) as loaded_at,
        account_no
    from versions
    inner join people using (person_no)
    inner join countries using (country_no)
    inner join categories as first_category
        on people.favourite_category = first_category.category_no
    inner join categories as second_category
        on people.second_category = second_category.category_no
    where updated_at < clock()
)

select * exclude (account_no) from rendered
union all by name
select * exclude (account_no) replace (loaded_at + interval 1 day as loaded_at)
from rendered where pick(80, 'again', account_no) = 0
union all by name
-- A record without its id: one in five thousand.
select null as customer_id, first_name, created_at as signed_up_at, created_at as updated_at,
    nightly(created_at, 0) as loaded_at
from accounts inner join people using (person_no)
where pick(5000, 'record without id', account_no) = 0
order by loaded_at, customer_id, updated_at
