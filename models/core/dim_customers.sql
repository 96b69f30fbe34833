-- Grain: customer, guests and leads included. Who signed up at or after the clock and did nothing
-- before it is not there yet; who signed up after doing something has no sign-up date yet.
with customers as (
    select * from {{ ref('int_customers_merged') }}
),

first_acts as (
    select * from {{ ref('int_first_acts') }}
),

final as (
    select
        customers.customer_key,
        customers.store,
        customers.customer_id,
        customers.origin,
        customers.email,
        coalesce(customers.is_email_verified, false) as is_email_verified,
        customers.phone,
        customers.first_name,
        customers.last_name,
        customers.birth_date,
        customers.gender,
        customers.language,
        customers.city,
        customers.region,
        customers.country_code,
        customers.postal_code,
        customers.timezone,
        customers.signup_source,
        customers.preferred_categories,
        customers.preferred_brand,
        case when customers.signed_up_at < {{ as_of_at() }} then customers.signed_up_at end
            as signed_up_at,
        first_acts.first_acted_at
    from customers
    left join first_acts on customers.customer_key = first_acts.customer_key
    where
        customers.signed_up_at is null
        or customers.signed_up_at < {{ as_of_at() }}
        or first_acts.customer_key is not null
)

select * from final
