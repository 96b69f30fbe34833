with attributes as (
    select * from {{ ref('base_crm__customer_attributes') }}
),

final as (
    select
        -- person
        store,
        customer_id,
        email,

        -- attribute
        attribute_name,
        attribute_value,

        -- times
        updated_at
    from attributes
    where row_status = 'accepted'
)

select * from final
