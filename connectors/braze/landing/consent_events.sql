-- One row per change of a subscription. `Opted In` is a grant; `Subscribed` is what every new user
-- is, and no row. A subscription group is a list: there, `Subscribed` was asked for.
with states as (
    select
        id,
        user_id,
        email_address as email,
        cast(null as varchar) as phone,
        lower(channel) as channel,
        cast(null as varchar) as list_id,
        case lower(replace(subscription_status, '_', ' '))
            when 'opted in' then 'granted'
            when 'unsubscribed' then 'withdrawn'
        end as action,
        state_change_source,
        time
    from {{ raw('users_behaviors_subscription_globalstatechange') }} as events
    union all
    select
        id,
        user_id,
        email_address as email,
        phone_number as phone,
        lower(channel) as channel,
        subscription_group_id as list_id,
        case lower(replace(subscription_status, '_', ' '))
            when 'subscribed' then 'granted'
            when 'opted in' then 'granted'
            when 'unsubscribed' then 'withdrawn'
        end as action,
        state_change_source,
        time
    from {{ raw('users_behaviors_subscriptiongroup_statechange') }} as events
),

purposes as (
    select
        states.*,
        case channel
            when 'email' then 'email_marketing'
            when 'sms' then 'sms_marketing'
            when 'push' then 'push_marketing'
        end as purpose
    from states
    where action is not null
)

select
    id as event_id,
    user_id as esp_contact_id,
    email,
    phone,
    purpose,
    action,
    list_id,
    coalesce(state_change_source, 'change of state') as collected_via,
    'braze' as source_system,
    {{ from_seconds('time') }} as occurred_at
from purposes
where purpose is not null
