{{ config(materialized='view') }}

-- Grain: target of grain customer, customer and cutoff, for the population of the target, where the
-- window had ended by the run's day. What was cancelled or given back before the window's end does
-- not count; what was later does.
with targets as (
    select * from {{ ref('model_targets') }}
),

cutoffs as (
    select * from {{ ref('training_cutoffs') }}
    where grain = 'customer'
),

purchases as (
    select
        customer_key,
        as_of_date,
        recency_days,
        order_count_90d,
        net_amount_90d
    from {{ ref('purchase_features') }}
    where is_of_run = false
),

engagement as (
    select
        customer_key,
        as_of_date,
        email_open_count_90d + email_click_count_90d as email_responses_90d
    from {{ ref('engagement_features') }}
    where is_of_run = false
),

-- Each cutoff and window once, however many targets share it.
label_windows as (
    select distinct
        as_of_date,
        label_window_end
    from cutoffs
),

orders_in_windows as (
    select
        days.customer_key,
        label_windows.as_of_date,
        label_windows.label_window_end,
        sum(days.order_count) as order_count,
        sum(days.net_amount) as net_amount,
        sum(days.margin_amount) as margin_amount
    from {{ ref('purchase_days') }} as days
    inner join label_windows
        on
            days.order_date >= label_windows.as_of_date
            and days.known_date < label_windows.label_window_end
            and days.gone_date >= label_windows.label_window_end
    where not days.is_of_run
    group by days.customer_key, label_windows.as_of_date, label_windows.label_window_end
),

responses_in_windows as (
    select
        days.customer_key,
        label_windows.as_of_date,
        label_windows.label_window_end,
        sum(days.email_open_count + days.email_click_count) as email_responses
    from {{ ref('contact_days') }} as days
    inner join label_windows
        on
            days.activity_date >= label_windows.as_of_date
            and days.known_date < label_windows.label_window_end
            and days.gone_date >= label_windows.label_window_end
    where not days.is_of_run and days.email_open_count + days.email_click_count > 0
    group by days.customer_key, label_windows.as_of_date, label_windows.label_window_end
),

before as (
    select
        customer_key,
        as_of_date,
        max(recency_days) as recency_days,
        coalesce(max(order_count_90d), 0) as order_count_90d,
        coalesce(max(net_amount_90d), 0) as net_amount_90d,
        coalesce(max(email_responses_90d), 0) as email_responses_90d
    from (
        select * from purchases
        union all by name
        select * from engagement
    ) as united
    group by customer_key, as_of_date
),

population as (
    select
        cutoffs.target_id,
        targets.label_rule,
        targets.horizon_days,
        cutoffs.label_window_end,
        before.*
    from cutoffs
    inner join targets on cutoffs.target_id = targets.target_id
    inner join before on cutoffs.as_of_date = before.as_of_date
    where
        (
            targets.active_within_days is null
            or before.recency_days <= targets.active_within_days
        )
        and (targets.min_purchased_before is null or before.recency_days is not null)
        and before.order_count_90d >= coalesce(targets.min_orders_90d, 0)
        -- Who gave back more than they bought is under no minimum that there is not.
        and (
            targets.min_spend_90d is null or before.net_amount_90d >= targets.min_spend_90d
        )
        and before.email_responses_90d >= coalesce(targets.min_email_responses_90d, 0)
),

final as (
    select
        population.target_id,
        population.customer_key,
        '' as item_id,
        population.as_of_date,
        population.label_window_end,
        cast(
            case population.label_rule
                when 'buys' then case when orders.order_count > 0 then 1 else 0 end
                when 'lapses' then case when orders.order_count > 0 then 0 else 1 end
                when 'spends_under_half'
                    then
                        case
                            when
                                coalesce(orders.net_amount, 0)
                                < cast(population.net_amount_90d as double)
                                * population.horizon_days / 180
                                then 1
                            else 0
                        end
                when 'goes_silent'
                    then case when responses.email_responses > 0 then 0 else 1 end
                when 'spends' then coalesce(orders.net_amount, 0)
                when 'earns' then coalesce(orders.margin_amount, 0)
            end as double
        ) as label
    from population
    left join orders_in_windows as orders
        on
            population.customer_key = orders.customer_key
            and population.as_of_date = orders.as_of_date
            and population.label_window_end = orders.label_window_end
    left join responses_in_windows as responses
        on
            population.customer_key = responses.customer_key
            and population.as_of_date = responses.as_of_date
            and population.label_window_end = responses.label_window_end
)

select * from final
