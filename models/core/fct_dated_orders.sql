{{ config(materialized='view') }}

-- Grain: order of somebody with a customer id, test orders included, as it was known on past days:
-- a cutoff after known_date and not after shared_date may count it. See dim_dated_identifiers.
with orders as (
    select * from {{ ref('int_orders_identified') }}
),

staged_orders as (
    select * from {{ ref('stg_shop__orders') }}
),

devices as (
    select
        store,
        order_id,
        anonymous_id,
        linked_at
    from {{ ref('int_visitors_linked') }}
    where order_id is not null and anonymous_id is not null
    qualify
        row_number() over (partition by store, order_id order by linked_at, anonymous_id) = 1
),

identifiers as (
    select * from {{ ref('dim_dated_identifiers') }}
),

named as (
    select
        staged_orders.store,
        staged_orders.order_id,
        staged_orders.ordered_at,
        case
            when
                coalesce(staged_orders.customer_id, staged_orders.email, staged_orders.phone)
                is null
                then devices.linked_at
        end as seen_at,
        {{ identifier_type([
            'staged_orders.customer_id', 'staged_orders.email', 'staged_orders.phone',
            'devices.anonymous_id',
        ]) }} as identifier_type,
        coalesce(
            staged_orders.customer_id,
            staged_orders.email,
            staged_orders.phone,
            devices.anonymous_id
        ) as identifier
    from staged_orders
    left join devices
        on
            staged_orders.store = devices.store
            and staged_orders.order_id = devices.order_id
            and not staged_orders.is_anonymised
),

final as (
    select
        orders.store,
        orders.order_id,
        identifiers.dated_key,
        identifiers.customer_key,
        orders.order_date,
        greatest(
            orders.order_date,
            coalesce({{ local_date('identifiers.linked_at') }}, orders.order_date),
            coalesce({{ local_date('named.seen_at') }}, orders.order_date)
        ) as known_date,
        {{ local_date('identifiers.shared_at') }} as shared_date
    from named
    inner join orders on named.store = orders.store and named.order_id = orders.order_id
    inner join identifiers
        on
            named.store = identifiers.store
            and named.identifier_type = identifiers.identifier_type
            and named.identifier = identifiers.identifier
)

select * from final
