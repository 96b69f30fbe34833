with events as (
    select * from {{ ref('base_web__events') }}
),

final as (
    select
        -- ids
        store,
        event_id,
        session_id,
        cart_id,
        order_id,

        -- visitor
        anonymous_id,
        customer_id,
        esp_contact_id,
        email,
        is_personal,

        -- what happened
        event_type,
        product_id,
        quantity,
        unit_price,
        currency,
        search_term,
        page_url,
        referrer_url,
        engaged_seconds,

        -- where it came from
        utm_source,
        utm_medium,
        utm_campaign,
        utm_content,
        device_type,

        -- times
        occurred_at,

        -- to see what changed
        visitor_hash,
        fingerprint
    from events
    where row_status = 'accepted'
)

select * from final
