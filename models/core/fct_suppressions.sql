-- Grain: e-mail address that must not be written to, whatever its owner permits. Not subject to the
-- clock: a bounce that is known is known. What an address was suppressed for before it was erased
-- is remembered under its keyed hash, and counts again where the address comes back.
with events as (
    select * from {{ ref('stg_esp__events') }}
    where
        coalesce(channel, 'email') = 'email'
        and event_type in ('delivered', 'bounced', 'complained')
),

contacts as (
    select * from {{ ref('stg_esp__contacts') }}
),

-- What we told the ESP to suppress, and who unsubscribed there, is no suppression but what consent
-- says.
suppressed_contacts as (
    select * from {{ ref('stg_esp__suppressions') }}
    where suppressed_by = 'platform'
),

customers as (
    select * from {{ ref('int_customers_merged') }}
),

identifiers as (
    select * from {{ ref('int_identifiers_resolved') }}
),

erased as (
    select * from {{ ref('stg_consent__erasure_requests') }}
    where suppression_reason is not null
),

-- Addresses in use now.
addresses as (
    select
        store,
        email
    from customers
    where email is not null
    union
    select
        store,
        email
    from contacts
    where email is not null
),

addressed as (
    select
        coalesce(events.email, contacts.email, customers.email) as email,
        events.event_type,
        events.bounce_type,
        events.event_id,
        events.occurred_at
    from events
    left join contacts
        on events.store = contacts.store and events.esp_contact_id = contacts.esp_contact_id
    left join identifiers
        on
            events.store = identifiers.store
            and identifiers.identifier_type = 'customer_id'
            and events.customer_id = identifiers.identifier
    left join customers on identifiers.customer_key = customers.customer_key
),

runs as (
    select
        *,
        count(case when event_type = 'delivered' then 1 end) over (
            partition by email
            order by occurred_at, event_id
            rows between unbounded preceding and current row
        ) as deliveries_before
    from addressed
    where event_type in ('delivered', 'bounced') and coalesce(bounce_type, 'soft') = 'soft'
),

-- Three soft bounces with no delivery between them.
third_soft_bounces as (
    select
        email,
        occurred_at
    from runs
    where event_type = 'bounced'
    qualify
        row_number() over (
            partition by email, deliveries_before order by occurred_at, event_id
        ) = 3
),

reasons as (
    select
        email,
        'complained' as reason,
        occurred_at as suppressed_at
    from addressed
    where event_type = 'complained'
    union all
    select
        email,
        'hard_bounced' as reason,
        occurred_at as suppressed_at
    from addressed
    where event_type = 'bounced' and bounce_type = 'hard'
    union all
    select
        email,
        'soft_bounced' as reason,
        occurred_at as suppressed_at
    from third_soft_bounces
    union all
    select
        email,
        'suppressed_by_esp' as reason,
        suppressed_at
    from suppressed_contacts
    union all
    select
        addresses.email,
        erased.suppression_reason as reason,
        erased.suppressed_at
    from addresses
    inner join erased
        on
            addresses.store = erased.store
            and {{ erasure_hash('addresses.store', "'email'", 'addresses.email') }}
            = erased.identifier_hash
),

final as (
    select
        email,
        reason,
        suppressed_at
    from reasons
    where email is not null
    qualify
        row_number() over (
            partition by email
            order by
                case reason
                    when 'complained' then 1
                    when 'hard_bounced' then 2
                    when 'suppressed_by_esp' then 3
                    else 4
                end,
                suppressed_at nulls last
        ) = 1
)

select * from final
