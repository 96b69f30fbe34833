-- What the site's own events say about who uses a device: every combination of identifiers that
-- was seen together, and since when.
with events as (
    select * from {{ ref('stg_web__events') }}
),

final as (
    select
        store,
        anonymous_id,
        customer_id,
        esp_contact_id,
        email,
        order_id,
        min(occurred_at) as linked_at
    from events
    where
        (
            customer_id is not null
            or esp_contact_id is not null
            or email is not null
            or (order_id is not null and event_type = 'order_placed')
        )
    group by store, anonymous_id, customer_id, esp_contact_id, email, order_id
)

select * from final
