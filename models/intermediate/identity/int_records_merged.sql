-- The person that a customer id stands for: ids that were merged, however many steps apart, share
-- a person.
with links as (
    select * from {{ ref('int_identifiers_linked') }}
    where left_type = 'customer_id'
),

crm_records as (
    select * from {{ ref('stg_crm__customers') }}
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

mergers as (
    select
        {{ identifier_node('store', "'customer_id'", 'left_customer_id') }} as left_node,
        {{ identifier_node('store', "'customer_id'", 'right_customer_id') }} as right_node,
        linked_at
    from {{ ref('int_records_linked') }}
    where is_merged
),

{{ connected_components('mergers') }}

-- A person is whole when the last of the links that make it is there.
merged_since as (
    select
        mergers_components.component,
        max(mergers.linked_at) as linked_at
    from mergers
    inner join mergers_components on mergers.left_node = mergers_components.node
    group by mergers_components.component
),

customer_ids as (
    select
        store,
        customer_id
    from crm_records
    union
    select
        store,
        customer_id
    from orders
    where customer_id is not null
    union
    select
        store,
        left_identifier as customer_id
    from links
),

final as (
    select
        customer_ids.store,
        customer_ids.customer_id,
        coalesce(
            mergers_components.component,
            {{ identifier_node('customer_ids.store', "'customer_id'", 'customer_ids.customer_id') }}
        ) as person,
        merged_since.linked_at,
        mergers_unfinished.label is not null as is_unfinished
    from customer_ids
    left join mergers_components
        on
            mergers_components.node
            = {{ identifier_node(
                'customer_ids.store', "'customer_id'", 'customer_ids.customer_id'
            ) }}
    left join merged_since on mergers_components.component = merged_since.component
    left join mergers_unfinished on mergers_components.component = mergers_unfinished.label
)

select * from final
