{{ config(materialized='view') }}

-- What the ESP still holds: the ids and addresses of the contacts in its newest export. A view, so
-- that nothing of it is stored.
with contacts as (
    select * from {{ landing('esp', 'esp_contacts', is_hashed=false) }}
),

newest as (
    select *
    from contacts
    qualify loaded_at = max(loaded_at) over (partition by store)
),

final as (
    select
        store,
        'esp_contact_id' as identifier_type,
        esp_contact_id as identifier,
        created_at,
        deleted_at
    from newest
    union all
    select
        store,
        'email' as identifier_type,
        {{ clean_email('email') }} as identifier,
        created_at,
        deleted_at
    from newest
)

select * from final
