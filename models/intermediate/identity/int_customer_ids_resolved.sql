-- Whom a customer id stands for: a record of the CRM, or somebody known by orders alone.
with merged as (
    select * from {{ ref('int_crm_records_merged') }}
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

crm_ids as (
    select
        store,
        customer_id,
        {{ entity_key(["'crm'", 'store', 'root_customer_id']) }} as customer_key,
        'crm' as origin
    from merged
),

-- Orders of a customer id that the CRM does not know: the person is as old as the first of them.
order_ids as (
    select
        orders.store,
        orders.customer_id,
        {{ entity_key(["'order'", 'orders.store', 'orders.order_id']) }} as customer_key,
        'order' as origin
    from orders
    left join merged
        on orders.store = merged.store and orders.customer_id = merged.customer_id
    where orders.customer_id is not null and merged.customer_id is null
    qualify
        row_number() over (
            partition by orders.store, orders.customer_id
            order by orders.ordered_at, orders.order_id
        ) = 1
),

final as (
    select * from crm_ids
    union all
    select * from order_ids
)

select * from final
