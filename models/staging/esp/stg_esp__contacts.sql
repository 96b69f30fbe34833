with contacts as (
    select * from {{ ref('base_esp__contacts') }}
),

final as (
    select
        -- ids
        store,
        esp_contact_id,
        external_id,
        merged_into_contact_id,
        synced_change_seq,

        -- contact
        email,
        phone,
        first_name,
        country_code,
        language,

        -- what the ESP thinks
        is_subscribed,
        is_suppressed,
        suppression_reason,

        -- times
        suppressed_at,
        created_at,
        updated_at,
        loaded_at
    from contacts
    where row_status = 'accepted'
)

select * from final
