-- One row per customer, with the address that Shopify calls the default one: the customer names it,
-- or it says so itself.
with customers as (
    select * from {{ raw('customer') }}
),

addresses as (
    select * from {{ raw('customer_address') }}
),

defaults as (
    select
        customer_id,
        min(id) as address_id
    from addresses
    where is_default
    group by customer_id
)

select
    customers.id as customer_id,
    customers.email,
    customers.verified_email as is_email_verified,
    customers.phone,
    customers.first_name,
    customers.last_name,
    addresses.city,
    addresses.province as region,
    coalesce(addresses.country_code, addresses.country) as country,
    addresses.zip as postal_code,
    customers.locale as language,
    customers.created_at as signed_up_at,
    customers.updated_at,
    customers._fivetran_synced as loaded_at,
    case when customers._fivetran_deleted then customers._fivetran_synced end as deleted_at
from customers
left join defaults on customers.id = defaults.customer_id
left join addresses on coalesce(customers.default_address_id, defaults.address_id) = addresses.id
