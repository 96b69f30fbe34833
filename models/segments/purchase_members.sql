-- Grain: customer and segment of the families purchase (buyers or not) and frequency (one-time or
-- repeat), with reason, figures and what ends it.
with customers as (
    select * from {{ ref('profiled_customers') }}
),

purchases as (
    select * from {{ ref('customer_purchase_summaries') }}
),

counted as (
    select
        customers.customer_key,
        coalesce(purchases.order_count, 0) as order_count,
        coalesce(purchases.purchase_day_count, 0) as purchase_day_count
    from customers
    left join purchases on customers.customer_key = purchases.customer_key
),

assigned as (
    select
        *,
        case when order_count > 0 then 'buyer' else 'non_buyer' end as segment_id
    from counted
    union all
    select
        *,
        case when purchase_day_count > 1 then 'repeat_buyer' else 'one_time_buyer' end as segment_id
    from counted
    where order_count > 0
),

final as (
    select
        customer_key,
        segment_id,
        case segment_id
            when 'non_buyer' then 'No order that counts'
            when 'one_time_buyer' then 'Bought on one day only'
            when 'repeat_buyer' then 'Bought on ' || purchase_day_count || ' days'
            else order_count || ' orders that count'
        end as reason,
        {{ json_text([
            ['order_count', 'order_count', false],
            ['purchase_day_count', 'purchase_day_count', false],
        ]) }} as figures,
        case segment_id
            when 'non_buyer' then 'Leaves with the first order'
            when 'one_time_buyer' then 'Leaves with an order on another day'
            else 'Leaves only if orders are cancelled or refunded in full'
        end as exit_rule,
        cast(null as date) as ends_on
    from assigned
)

select * from final
