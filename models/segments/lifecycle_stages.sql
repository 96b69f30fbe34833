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
        last_order.days as last_order_within,
        not_engaged.days as not_engaged_within
    from {{ ref('lifecycle_rules') }} as rules
    left join thresholds as signed_up on rules.signed_up_within = signed_up.threshold_id
    left join thresholds as first_order on rules.first_order_within = first_order.threshold_id
    left join thresholds as returned on rules.returned_within = returned.threshold_id
    left join thresholds as last_order on rules.last_order_within = last_order.threshold_id
    left join thresholds as not_engaged on rules.not_engaged_within = not_engaged.threshold_id
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

-- Orders are no sign of engagement here: they have conditions of their own.
engagements as (
    select
        customer_key,
        max(last_engaged_date) as last_engaged_date
    from {{ ref('engagement_points') }}
    where channel <> 'shop'
    group by customer_key
),

histories as (
    select max(history_days) as history_days from {{ ref('engagement_sources') }}
    where channel <> 'shop'
),

situations as (
    select
        customers.customer_key,
        purchases.customer_key is not null as has_purchased,
        {{ as_of_date() }} - customers.signed_up_date as days_since_signup,
        purchases.age_days as days_since_first_order,
        {{ as_of_date() }} - returns.returned_date as days_since_return,
        purchases.days_since_last_order,
        {{ as_of_date() }} - engagements.last_engaged_date as days_since_engagement,
        histories.history_days
    from customers
    cross join histories
    left join purchases on customers.customer_key = purchases.customer_key
    left join returns on customers.customer_key = returns.customer_key
    left join engagements on customers.customer_key = engagements.customer_key
),

-- How long each rule holds and, where it asks for silence alone, in how many days it will.
weighed as (
    select
        situations.*,
        rules.priority,
        rules.segment_id,
        (rules.signed_up_within is null or situations.days_since_signup <= rules.signed_up_within)
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
        and (
            rules.not_engaged_within is null
            or (
                situations.history_days >= rules.not_engaged_within
                and coalesce(situations.days_since_engagement > rules.not_engaged_within, true)
            )
        ) as is_held,
        least(
            coalesce(rules.signed_up_within - situations.days_since_signup, 99999),
            coalesce(rules.first_order_within - situations.days_since_first_order, 99999),
            coalesce(rules.returned_within - situations.days_since_return, 99999),
            coalesce(rules.last_order_within - situations.days_since_last_order, 99999)
        ) as days_left,
        case
            when
                rules.not_engaged_within is not null
                and situations.history_days is not null
                and coalesce(
                    rules.signed_up_within,
                    rules.first_order_within,
                    rules.returned_within,
                    rules.last_order_within
                ) is null
                then
                    greatest(
                        rules.not_engaged_within - situations.history_days,
                        coalesce(
                            rules.not_engaged_within + 1 - situations.days_since_engagement, 0
                        )
                    )
        end as days_until_silent
    from situations
    inner join rules on situations.has_purchased = rules.has_purchased
),

-- Days left until time alone ends the stage; 99999: only an act of the customer does.
matched as (
    select
        *,
        least(
            days_left,
            coalesce(
                min(days_until_silent) over (
                    partition by customer_key
                    order by priority
                    rows between unbounded preceding and 1 preceding
                ) - 1,
                99999
            )
        ) as days_to_go
    from weighed
    qualify
        row_number() over (
            partition by customer_key order by coalesce(is_held, false) desc nulls last, priority
        ) = 1
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
        days_since_engagement,
        case
            when days_to_go < 99999 then {{ as_of_date() }} + cast(days_to_go + 1 as integer)
        end as ends_on
    from matched
)

select * from final
