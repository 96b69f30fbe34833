-- The states of consent on the profile, as the events that made them. NEVER_SUBSCRIBED is no row.
-- Who withdrew did so when the state last changed; who subscribed, when the consent was given.
with people as (
    select * from {{ raw('person') }}
    where not coalesce(_fivetran_deleted, false)
),

states as (
    select
        id,
        'email_marketing' as purpose,
        lower(subscriptions_email_marketing_consent) as state,
        coalesce(subscriptions_email_marketing_double_optin, false) as is_double_optin,
        lower(subscriptions_email_marketing_method) as method,
        subscriptions_email_marketing_timestamp as given_at,
        subscriptions_email_marketing_last_updated as changed_at,
        _fivetran_synced
    from people
    union all
    select
        id,
        'sms_marketing' as purpose,
        lower(subscriptions_sms_marketing_consent) as state,
        false as is_double_optin,
        lower(subscriptions_sms_marketing_method) as method,
        subscriptions_sms_marketing_timestamp as given_at,
        subscriptions_sms_marketing_last_updated as changed_at,
        _fivetran_synced
    from people
),

dated as (
    select
        id,
        purpose,
        state,
        is_double_optin,
        method,
        _fivetran_synced,
        case when state = 'unsubscribed' then coalesce(changed_at, given_at)
        else coalesce(given_at, changed_at) end as occurred_at
    from states
    where state in ('subscribed', 'unsubscribed', 'pending')
)

select
    {{ content_hash(["'klaviyo'", 'id', 'purpose', 'state', 'is_double_optin', 'occurred_at']) }}
        as event_id,
    id as esp_contact_id,
    purpose,
    case
        when state = 'pending' then 'requested'
        when state = 'unsubscribed' then 'withdrawn'
        when is_double_optin then 'confirmed'
        else 'granted'
    end as action,
    coalesce(method, 'state of the profile') as collected_via,
    'klaviyo' as source_system,
    occurred_at,
    _fivetran_synced as loaded_at
from dated
