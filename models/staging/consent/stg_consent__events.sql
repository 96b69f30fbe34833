-- Not cut off at the clock: see stg_esp__events.
with events as (
    select * from {{ ref('base_consent__events') }}
),

final as (
    select
        -- ids
        store,
        event_id,

        -- person
        customer_id,
        email,
        esp_contact_id,
        phone,

        -- what was said
        purpose,
        action,
        list_id,
        legal_basis,

        -- evidence
        policy_version,
        collected_via,
        source_system,
        evidence,

        -- times
        occurred_at
    from events
    where row_status = 'accepted'
)

select * from final
