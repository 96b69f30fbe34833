-- Grain: customer. Whether marketing e-mail may be sent, and if not, the first thing in the way.
-- Any withdrawal on an address blocks it for all who share it; where there is none, only the most
-- recent buyer of them is written to.
with customers as (
    select * from {{ ref('dim_customers') }}
),

permissions as (
    select * from {{ ref('fct_permissions') }}
    where purpose = 'email_marketing'
),

suppressions as (
    select * from {{ ref('fct_suppressions') }}
),

-- Addresses of people who said no, however the no came.
refused_addresses as (
    select distinct customers.email
    from customers
    inner join permissions on customers.customer_key = permissions.customer_key
    where permissions.reason in ('withdrawn', 'objected', 'restricted')
),

last_orders as (
    select
        customer_key,
        max(ordered_at) as last_ordered_at
    from {{ ref('fct_orders') }}
    where is_valid
    group by customer_key
),

weighed as (
    select
        customers.customer_key,
        customers.email,
        customers.signed_up_at,
        last_orders.last_ordered_at,
        coalesce(permissions.is_permitted, false) as is_permitted,
        coalesce(permissions.reason, 'never_asked') as permission_reason,
        case
            when customers.email is null then 'no_email'
            when suppressions.email is not null then suppressions.reason
            when not coalesce(permissions.is_permitted, false)
                then coalesce(permissions.reason, 'never_asked')
            when refused_addresses.email is not null then 'address_refused'
        end as block_reason
    from customers
    left join permissions on customers.customer_key = permissions.customer_key
    left join suppressions on customers.email = suppressions.email
    left join refused_addresses on customers.email = refused_addresses.email
    left join last_orders on customers.customer_key = last_orders.customer_key
),

ranked as (
    select
        *,
        row_number() over (
            partition by email, block_reason is null
            order by
                last_ordered_at desc nulls last, signed_up_at asc nulls last, customer_key asc
        ) as address_rank
    from weighed
),

final as (
    select
        customer_key,
        block_reason is null and address_rank = 1 as is_contactable,
        case
            when block_reason is null and address_rank > 1 then 'address_shared'
            else block_reason
        end as block_reason,
        permission_reason
    from ranked
)

select * from final
