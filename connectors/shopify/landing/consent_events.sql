-- The state of e-mail consent on the customer record, as the event that made it. `not_subscribed`
-- is what a customer who was never asked has: no row. `redacted` and `invalid` say nothing either,
-- nor does a customer who is no longer there.
with customers as (
    select
        id,
        _fivetran_synced,
        lower(
            coalesce(
                email_marketing_consent_state,
                case when accepts_marketing then 'subscribed' end
            )
        ) as state,
        lower(email_marketing_consent_opt_in_level) as opt_in_level,
        coalesce(email_marketing_consent_consent_updated_at, accepts_marketing_updated_at)
            as occurred_at
    from {{ raw('customer') }}
    where not coalesce(_fivetran_deleted, false)
)

select
    {{ content_hash(["'shopify'", 'id', "'email_marketing'", 'state', 'opt_in_level', 'occurred_at']) }}
        as event_id,
    id as customer_id,
    'email_marketing' as purpose,
    case
        when state = 'pending' then 'requested'
        when state = 'unsubscribed' then 'withdrawn'
        when opt_in_level = 'confirmed_opt_in' then 'confirmed'
        else 'granted'
    end as action,
    'state of the customer record' as collected_via,
    'shopify' as source_system,
    occurred_at,
    _fivetran_synced as loaded_at
from customers
where state in ('subscribed', 'unsubscribed', 'pending')
