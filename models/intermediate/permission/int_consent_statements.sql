-- What was said about consent, by consent source and by ESP, and for whom it counts. A statement
-- that comes with a person's id counts for that person; one that comes with an address alone, for
-- everyone who has it; one that comes with a phone number alone, for everyone who has that, as far
-- as it is about messages to it or takes permission away.
with consent_events as (
    select * from {{ ref('stg_consent__events') }}
),

-- What cannot be used may be a no, and counts as one: whoever has something to say about consent
-- that nobody can read is not written to until it is put right.
unreadable_events as (
    select * from {{ ref('base_consent__events') }}
    where
        row_status = 'rejected'
        and coalesce(action, 'unreadable')
        not in ('granted', 'confirmed', 'requested', 'unrestricted')
),

unsubscribes as (
    select * from {{ ref('stg_esp__events') }}
    where event_type = 'unsubscribed'
),

-- Of whom the ESP says that they unsubscribed there.
unsubscribed_contacts as (
    select * from {{ ref('stg_esp__suppressions') }}
    where suppressed_by = 'person'
),

customers as (
    select * from {{ ref('int_customers_merged') }}
),

-- Everyone who has an address: as their own now, or because a record with it leads to them.
address_owners as (
    select
        store,
        email,
        customer_key
    from customers
    where email is not null
    union
    select
        store,
        identifier as email,
        customer_key
    from {{ ref('int_identifiers_resolved') }}
    where identifier_type = 'email'
),

phone_owners as (
    select
        store,
        phone,
        customer_key
    from customers
    where phone is not null
    union
    select
        store,
        identifier as phone,
        customer_key
    from {{ ref('int_identifiers_resolved') }}
    where identifier_type = 'phone'
),

statements as (
    select
        store,
        event_id,
        customer_id,
        esp_contact_id,
        email,
        phone,
        purpose,
        action,
        list_id,
        collected_via,
        occurred_at,
        -- A state that another system reported is not the person speaking.
        coalesce(
            {{ matches(
                'collected_via',
                '(^|[^a-z])(import|imported|sync|synced|migration|backfill)([^a-z]|$)'
            ) }},
            false
        ) as is_imported
    from consent_events
    union all
    select
        store,
        coalesce(event_id, 'no event_id') as event_id,
        customer_id,
        esp_contact_id,
        email,
        phone,
        coalesce(purpose, 'email_marketing') as purpose,
        'withdrawn' as action,
        list_id,
        'unreadable' as collected_via,
        coalesce(occurred_at, loaded_at, {{ as_of_at() }}) as occurred_at,
        false as is_imported
    from unreadable_events
    union all
    select
        store,
        event_id,
        customer_id,
        esp_contact_id,
        email,
        null as phone,
        coalesce(channel, 'email') || '_marketing' as purpose,
        'withdrawn' as action,
        list_id,
        'unsubscribe' as collected_via,
        occurred_at,
        false as is_imported
    from unsubscribes
    union all
    select
        store,
        'suppressed ' || esp_contact_id as event_id,
        null as customer_id,
        esp_contact_id,
        email,
        null as phone,
        'email_marketing' as purpose,
        'withdrawn' as action,
        null as list_id,
        'unsubscribe' as collected_via,
        coalesce(suppressed_at, loaded_at, {{ as_of_at() }}) as occurred_at,
        false as is_imported
    from unsubscribed_contacts
),

resolved as (
    select
        statements.*,
        {{ resolved_customer_key(['customer_id', 'esp_contact_id']) }} as customer_key
    from statements
    {{ resolved_customer_joins('statements', ['customer_id', 'esp_contact_id']) }}
),

-- Without a person whom an id names, and for everything that takes permission away, the address
-- speaks: whoever has it is bound by it.
by_address as (
    select resolved.* replace (address_owners.customer_key as customer_key)
    from resolved
    inner join address_owners
        on resolved.store = address_owners.store and resolved.email = address_owners.email
    where
        resolved.customer_key is null
        or resolved.action in ('withdrawn', 'objected', 'restricted')
),

by_phone as (
    select resolved.* replace (phone_owners.customer_key as customer_key)
    from resolved
    inner join phone_owners
        on resolved.store = phone_owners.store and resolved.phone = phone_owners.phone
    where
        (
            resolved.purpose = 'sms_marketing'
            or (resolved.customer_key is null and resolved.email is null)
        )
        and (
            resolved.action in ('withdrawn', 'objected', 'restricted')
            or (
                resolved.purpose = 'sms_marketing'
                and resolved.customer_key is null
                and resolved.email is null
            )
        )
),

attached as (
    select * from resolved
    where customer_key is not null
    union
    select * from by_address
    union
    select * from by_phone
),

final as (
    select
        customer_key,
        event_id,
        purpose,
        action,
        list_id,
        collected_via,
        is_imported,
        occurred_at
    from attached
)

select * from final
