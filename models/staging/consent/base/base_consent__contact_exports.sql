{{ config(materialized='view') }}

-- How many contacts the ESP's newest export has.
with contacts as (
    select * from {{ landing('esp', 'esp_contacts', is_hashed=false) }}
),

final as (
    select
        store,
        loaded_at as exported_at,
        sum(case when deleted_at is null and merged_into_contact_id is null then 1 else 0 end)
            as contact_count
    from contacts
    group by store, loaded_at
    qualify row_number() over (partition by store order by loaded_at desc nulls last) = 1
)

select * from final
