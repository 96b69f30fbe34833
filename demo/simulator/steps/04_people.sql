-- Everyone, with everything that is true of them. Kinds: account (has a CRM record), lead (known to
-- the ESP alone), guest (orders without an account), visitor (looks, and never says who they are).
create table first_names as
select
    cast(row_number() over () - 1 as integer) as first_name_no,
    *
from (
    values
    ('Anna', 'f'), ('Maria', 'f'), ('Julia', 'f'), ('Laura', 'f'), ('Sarah', 'f'), ('Lena', 'f'),
    ('Emma', 'f'), ('Sofia', 'f'), ('Clara', 'f'), ('Nina', 'f'), ('Eva', 'f'), ('Ida', 'f'),
    ('Alice', 'f'), ('Karin', 'f'), ('Helen', 'f'), ('Marie', 'f'), ('Jane', 'f'), ('Lucy', 'f'),
    ('Thomas', 'm'), ('Peter', 'm'), ('Michael', 'm'), ('Daniel', 'm'), ('Martin', 'm'),
    ('Paul', 'm'), ('Jonas', 'm'), ('Erik', 'm'), ('David', 'm'), ('Oliver', 'm'), ('James', 'm'),
    ('Simon', 'm'), ('Felix', 'm'), ('Leon', 'm'), ('Anders', 'm'), ('Louis', 'm'), ('John', 'm'),
    ('Adam', 'm'), ('Robin', 'x'), ('Alex', 'x')
) as rows (first_name, gender);

create table last_names as
select
    cast(row_number() over () - 1 as integer) as last_name_no,
    last_name
from unnest([
    'Meyer', 'Schmidt', 'Weber', 'Wagner', 'Becker', 'Hoffmann', 'Koch', 'Bauer', 'Richter',
    'Klein',
    'Wolf', 'Neumann', 'Schwarz', 'Braun', 'Huber', 'Gruber', 'Keller', 'Frei', 'Smith', 'Jones',
    'Taylor', 'Brown', 'Wilson', 'Evans', 'Walker', 'White', 'Green', 'Hall', 'Wood', 'Clark',
    'Johnson', 'Miller', 'Davis', 'Moore', 'Anderson', 'Jackson', 'Martin', 'Lee', 'Svensson',
    'Nilsson', 'Larsson', 'Olsson', 'Lind', 'Berg', 'Dubois', 'Moreau', 'Laurent', 'Simon',
    'Jansen', 'Visser', 'Bakker', 'Smit', 'Vogel', 'Lang', 'Roth', 'Busch', 'Kraus', 'Winter'
]) as rows (last_name);

create table countries as
select
    cast(row_number() over () - 1 as integer) as country_no,
    *
from (
    values
    (0.00, 'DE', ['Germany', 'DE', 'deutschland', 'GERMANY'], 'Europe/Berlin', 0, 0, 'de'),
    (0.44, 'AT', ['Austria', 'AT', 'Österreich', 'austria'], 'Europe/Vienna', 0, 0, 'de'),
    (0.52, 'CH', ['Switzerland', 'CH', 'Schweiz', 'CH'], 'Europe/Zurich', 0, 2, 'de'),
    (0.60, 'GB', ['United Kingdom', 'GB', 'gb', 'GB'], 'Europe/London', -1, 1, 'en'),
    (0.74, 'US', ['United States', 'US', 'USA', 'us'], 'America/New_York', -6, 3, 'en'),
    (0.81, 'US', ['United States', 'US', 'USA', 'us'], 'America/Los_Angeles', -9, 3, 'en'),
    (0.85, 'SE', ['Sweden', 'SE', 'Sverige', 'se'], 'Europe/Stockholm', 0, 4, 'sv'),
    (0.93, 'FR', ['France', 'FR', 'france', 'FR'], 'Europe/Paris', 0, 0, 'fr')
) as rows (
    share_from, country_code, spellings, timezone, hours_ahead, currency_no, language
);

create table people as
with numbered as (
    select
        cast(person_no as integer) as person_no,
        case
            when person_no <= getvariable('customers') then 'account'
            when person_no <= 1.05 * getvariable('customers') then 'lead'
            when person_no <= 1.12 * getvariable('customers') then 'guest'
            else 'visitor'
        end as kind,
        -- Two accounts in a row may be of one household, and share a device or an inbox.
        (person_no + 1) // 2 as household_no
    from range(1, 1 + cast(floor(1.42 * getvariable('customers')) as bigint)) as n (person_no)
),

drawn as (
    select
        *,
        kind = 'account' and u('shares device', household_no) < 0.07 as is_sharing_device,
        kind = 'account' and u('shares inbox', household_no) < 0.014 as is_sharing_inbox,
        1 + pick(7, 'favourite weekday', person_no) as favourite_weekday,
        [7, 9, 12, 13, 18, 19, 20, 20, 21, 21][1 + pick(10, 'favourite hour', person_no)]
            as favourite_hour,
        pick(getvariable('categories'), 'favourite category', person_no) as favourite_category,
        pick(getvariable('categories'), 'second category', person_no) as second_category,
        pick(8, 'favourite brand', person_no) as favourite_brand,
        u('price sensitivity', person_no) as price_sensitivity,
        u('country', person_no) as country_draw,
        -- Two people who share have different names: the second's is moved on from the first's.
        (
            pick(38, 'first name', household_no)
            + if(person_no % 2 = 0, 1 + pick(37, 'other first name', household_no), 0)
        ) % 38 as first_name_no,
        pick(58, 'last name', person_no) as last_name_no,
        parameter('repeat_rate_mean') * gamma_half('repeat rate', person_no) as repeat_rate,
        parameter('first_rate_mean') * gamma_half('first rate', person_no)
        * case when kind = 'lead' then 0.1 else 1 end as first_rate,
        parameter('dropout_rate_mean') * exponential('dropout rate', person_no)
        * case when kind = 'visitor' then 10 else 1 end as dropout_rate,
        parameter('browse_rate_mean') * exponential('browse rate', person_no)
        * case when kind = 'visitor' then 6 else 1 end as browse_rate,
        kind = 'guest'
        or (kind = 'account' and u('buys first', person_no) < parameter('sign_up_by_buying'))
            as is_signed_up_by_buying,
        parameter('open_rate_least')
        + parameter('open_rate_span') * pow(u('open rate', person_no), 2) as open_rate,
        parameter('click_rate_least')
        + parameter('click_rate_span') * pow(u('click rate', person_no), 3) as click_rate,
        parameter('unsubscribe_rate_least')
        + parameter('unsubscribe_rate_span') * pow(u('unsubscribe rate', person_no), 4)
            as unsubscribe_rate,
        case
            when u('mailbox', person_no) < 0.40 then 'apple'
            when u('mailbox', person_no) < 0.72 then 'gmail'
            when u('mailbox', person_no) < 0.78 then 'scanned'
            else 'other'
        end as mailbox,
        1 + (u('devices', person_no) < 0.45)::integer + (u('devices', person_no) < 0.15)::integer
            as device_count,
        kind in ('account', 'guest') and u('has phone', person_no) < 0.65 as has_phone
    from numbered
),

entered as (
    select
        drawn.*,
        seasons.day_no as entry_day_no,
        later(
            days.starts_at,
            second_of_day(favourite_hour, countries.hours_ahead, 'entry hour', person_no)
        ) as entry_at,
        countries.country_code,
        countries.country_no,
        countries.hours_ahead,
        countries.currency_no,
        first_names.first_name,
        first_names.gender,
        last_names.last_name
    from (
        select
            drawn.*,
            u('entry', person_no) * total as entry_season
        from drawn
        inner join (
            select favourite_weekday, max(passed_after) as total from seasons group by all
        ) using (favourite_weekday)
    ) as drawn
    asof join seasons
        on drawn.favourite_weekday = seasons.favourite_weekday and entry_season >= seasons.passed
    inner join days on seasons.day_no = days.day_no
    asof join countries on country_draw >= countries.share_from
    inner join first_names on drawn.first_name_no = first_names.first_name_no
    inner join last_names on drawn.last_name_no = last_names.last_name_no
),

left_shop as (
    select
        *,
        -- Alive on the days from entry_day_no to dropout_day_no - 1.
        cast(
            least(
                entry_day_no + 1 + floor(exponential('dropout', person_no) / dropout_rate), 100000
            ) as integer
        ) as dropout_day_no,
        case
            when
                kind = 'account' and not is_sharing_inbox
                and u('erased', person_no) < parameter('erasure_rate')
                then entry_day_no + 2 + pick(300, 'erasure day', person_no)
        end as erasure_day_no
    from entered
)

select
    person_no,
    kind,
    household_no,
    is_sharing_device,
    is_sharing_inbox,
    is_signed_up_by_buying,
    entry_day_no,
    entry_at,
    dropout_day_no,
    case when erasure_day_no < getvariable('days') then erasure_day_no end as erasure_day_no,
    -- The first day without them.
    least(dropout_day_no, coalesce(erasure_day_no, 100000), getvariable('days'))
        as last_day_no,
    repeat_rate,
    first_rate,
    dropout_rate,
    browse_rate,
    favourite_weekday,
    favourite_hour,
    favourite_category,
    second_category,
    favourite_brand,
    price_sensitivity,
    open_rate,
    click_rate,
    unsubscribe_rate,
    mailbox,
    device_count,
    country_no,
    country_code,
    currency_no,
    hours_ahead,
    first_name,
    last_name,
    gender,
    date '1945-01-01' + pick(21900, 'birth date', person_no) as birth_date,
    case
        when kind = 'visitor' then null
        when is_sharing_inbox
            then 'family.' || household_no || '@example.net'
        else lower(first_name) || '.' || lower(last_name) || '.' || person_no || '@example.'
            || ['com', 'com', 'org', 'net'][1 + pick(4, 'domain', person_no)]
    end as email,
    case
        when has_phone
            -- Country code 999 is assigned to nobody: no number rings.
            then '+999' || lpad(cast(scrambled(person_no) as varchar), 10, '0')
    end as phone
from left_shop
order by person_no;
