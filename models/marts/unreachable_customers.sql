{{ config(materialized='view') }}

-- Grain: customer whom e-mail marketing cannot reach though nothing is held against writing to
-- them: the address belongs to another customer's profile, or there is none.
with contactability as (
    select * from {{ ref('customer_contactability') }}
    where not is_contactable and block_reason in ('address_shared', 'no_email')
),

customers as (
    select * from {{ ref('dim_customers') }}
),

reached as (
    select
        customers.email,
        contactability.customer_key
    from {{ ref('customer_contactability') }} as contactability
    inner join customers on contactability.customer_key = customers.customer_key
    where contactability.is_contactable
),

final as (
    select
        contactability.customer_key,
        contactability.block_reason,
        reached.customer_key as reached_customer_key
    from contactability
    inner join customers on contactability.customer_key = customers.customer_key
    left join reached on customers.email = reached.email
)

select * from final
