-- Grain: customer who may be profiled. Exactly one stage each: of the rules in seeds/segments that
-- hold, the one with the lowest priority number. Days are local; yesterday is 1.
with customers as (
    select * from {{ ref('profiled_customers') }}
),

purchases as (
    select * from {{ ref('customer_purchase_summaries') }}
),

thresholds as (
    select * from {{ ref('lifecycle_days') }}
),

rules as (
    select
        rules.priority,
        rules.segment_id,
        rules.has_purchased,
        signed_up.days as signed_up_within,
        first_order.days as first_order_within,
        returned.days as returned_within,
        last_order.days as last_order_within
    from {{ ref('lifecycle_rules') }} as rules
    left join thresholds as signed_up on rules.signed_up_within = signed_up.threshold_id
    left join thresholds as first_order on rules.first_order_within = first_order.threshold_id
    left join thresholds as returned on rules.returned_within = returned.threshold_id
    left join thresholds as last_order on rules.last_order_within = last_order.threshold_id
),

-- A lapse is a gap longer than the cooling phase.
returns as (
    select
        purchase_days.customer_key,
        max(purchase_days.order_date) as returned_date
    from {{ ref('customer_purchase_days') }} as purchase_days
    inner join thresholds
        on thresholds.threshold_id = 'cooling' and purchase_days.gap_days > thresholds.days
    group by purchase_days.customer_key
),

situations as (
    select
        customers.customer_key,
        purchases.customer_key is not null as has_purchased,
        {{ as_of_date() }} - customers.signed_up_date as days_since_signup,
        purchases.age_days as days_since_first_order,
        {{ as_of_date() }} - returns.returned_date as days_since_return,
        purchases.days_since_last_order
    from customers
    left join purchases on customers.customer_key = purchases.customer_key
    left join returns on customers.customer_key = returns.customer_key
),

matched as (
    select
        situations.*,
        rules.priority,
        rules.segment_id,
        -- Days left until time alone ends the stage; null: only an order does.
        least(
            coalesce(rules.signed_up_within - situations.days_since_signup, 99999),
            coalesce(rules.first_order_within - situations.days_since_first_order, 99999),
            coalesce(rules.returned_within - situations.days_since_return, 99999),
            coalesce(rules.last_order_within - situations.days_since_last_order, 99999)
        ) as days_left
    from situations
    inner join rules
        on
            situations.has_purchased = rules.has_purchased
            and (
                rules.signed_up_within is null
                or situations.days_since_signup <= rules.signed_up_within
            )
            and (
                rules.first_order_within is null
                or situations.days_since_first_order <= rules.first_order_within
            )
            and (
                rules.returned_within is null
                or situations.days_since_return <= rules.returned_within
            )
            and (
                rules.last_order_within is null
                or situations.days_since_last_order <= rules.last_order_within
            )
    qualify
        row_number() over (partition by situations.customer_key order by rules.priority) = 1
),

final as (
    select
        customer_key,
        segment_id,
        has_purchased,
        days_since_signup,
        days_since_first_order,
        days_since_return,
        days_since_last_order,
        case
            when days_left < 99999 then {{ as_of_date() }} + cast(days_left + 1 as integer)
        end as ends_on
    from matched
)

select * from final
