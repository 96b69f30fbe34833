-- One row per customer, with the address that Shopify calls the default one.
with customers as (
    select * from {{ raw('customer') }}
),

addresses as (
    select * from {{ raw('customer_address') }}
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
left join addresses on customers.default_address_id = addresses.id
