{{ config(materialized='view') }}

-- Grain: target of sends, customer, campaign and day on which it was sent to them, where the window
-- had ended by the run's day.
with targets as (
    select * from {{ ref('model_targets') }}
    where is_enabled and grain = 'customer_send'
),

sends as (
    select * from {{ ref('campaign_sends') }}
    where is_of_run = false
),

redeemed as (
    select distinct
        sends.customer_key,
        sends.item_id,
        sends.as_of_date
    from sends
    inner join {{ ref('fct_dated_redemptions') }} as redemptions
        on
            sends.customer_key = redemptions.dated_key
            and sends.item_id = redemptions.campaign_key
            and sends.as_of_date <= redemptions.redeemed_date
            and sends.ended_date > redemptions.redeemed_date
),

final as (
    select
        targets.target_id,
        sends.customer_key,
        sends.item_id,
        sends.as_of_date,
        case
            when targets.label_rule = 'redeems' then sends.ended_date
            else cast(sends.as_of_date + targets.horizon_days as date)
        end as label_window_end,
        cast(
            case
                when targets.label_rule = 'redeems'
                    then case when redeemed.customer_key is not null then 1 else 0 end
                when sends.clicked_date < sends.as_of_date + targets.horizon_days then 1
                else 0
            end as double
        ) as label
    from targets
    inner join sends
        on
            case
                when targets.label_rule = 'redeems' then sends.ended_date
                else sends.as_of_date + targets.horizon_days
            end <= {{ as_of_date() }}
    left join redeemed
        on
            sends.customer_key = redeemed.customer_key
            and sends.item_id = redeemed.item_id
            and sends.as_of_date = redeemed.as_of_date
)

select * from final
