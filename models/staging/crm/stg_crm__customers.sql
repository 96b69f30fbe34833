with customers as (
    select * from {{ ref('base_crm__customers') }}
),

final as (
    select
        -- ids
        store,
        customer_id,
        merged_into_customer_id,

        -- contact
        email,
        is_email_verified,
        phone,

        -- person
        first_name,
        last_name,
        birth_date,
        gender,
        language,

        -- place
        city,
        region,
        country_code,
        postal_code,
        timezone,

        -- sign-up and stated preferences
        signup_source,
        preferred_categories,
        preferred_brand,

        -- times
        signed_up_at,
        updated_at
    from customers
    where row_status = 'accepted'
)

select * from final
