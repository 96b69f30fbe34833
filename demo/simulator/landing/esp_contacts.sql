-- Two full exports: half a year before the clock, and on its evening.
with exports as (
    select clock() - interval 180 days as exported_at
    union all
    select clock() - interval 2 hours
),

states as (
    select
        *,
        may_be_sent(exported_at, stops_at, again_at, stops_again_at, ends_at) as is_subscribed,
        case
            when stop_kind in ('hard', 'complained') and stops_at < exported_at then stop_kind
            when stop_again_kind in ('hard', 'complained') and stops_again_at < exported_at
                then stop_again_kind
        end as suppressing,
        case when suppressing = stop_kind then stops_at else stops_again_at end as suppressed_since
    from email_periods
    inner join people using (person_no)
    inner join exports on granted_at < exported_at
)

select
    id('k', person_no) as esp_contact_id,
    as_typed(email, person_no + 1) as email,
    case when kind = 'account' and pick(3, 'contact phone', person_no) = 0 then phone end as phone,
    first_name,
    country_code as country,
    language,
    case
        when kind = 'account' and pick(8, 'no external id', person_no) > 0
            then id('c', person_no)
    end as external_id,
    is_subscribed,
    suppressing is not null as is_suppressed,
    case suppressing when 'hard' then 'hard bounce' when 'complained' then 'complaint' end
        as suppression_reason,
    case when suppressing is not null then suppressed_since end as suppressed_at,
    null::varchar as merged_into_contact_id,
    granted_at as created_at,
    exported_at as updated_at,
    exported_at + interval 1 hour as loaded_at
from states
inner join (select country_no, language from countries) using (country_no)
union all by name
-- Contacts of an old address, merged into the person's own.
select
    id('k', 2000000000 + person_no) as esp_contact_id,
    'old.' || email as email,
    first_name,
    false as is_subscribed,
    false as is_suppressed,
    id('k', person_no) as merged_into_contact_id,
    granted_at as created_at,
    exported_at as updated_at,
    exported_at + interval 1 hour as loaded_at
from states where pick(200, 'old contact', person_no) = 0
order by loaded_at, esp_contact_id
