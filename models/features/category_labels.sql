{{ config(materialized='view') }}

-- Grain: target of categories, customer, category bought before and cutoff, where the window had
-- ended by the run's day.
with cutoffs as (
    select * from {{ ref('training_cutoffs') }}
    where grain = 'customer_category'
),

categories as (
    select
        customer_key,
        item_id,
        as_of_date
    from {{ ref('category_rows') }}
    where is_of_run = false
),

days as (
    select * from {{ ref('category_days') }}
    where is_of_run = false
),

bought as (
    select distinct
        cutoffs.target_id,
        days.customer_key,
        days.category,
        cutoffs.as_of_date
    from days
    inner join cutoffs
        on
            days.order_date >= cutoffs.as_of_date
            and days.known_date < cutoffs.label_window_end
            and days.gone_date >= cutoffs.label_window_end
),

final as (
    select
        cutoffs.target_id,
        categories.customer_key,
        categories.item_id,
        categories.as_of_date,
        cutoffs.label_window_end,
        cast(case when bought.customer_key is not null then 1 else 0 end as double) as label
    from cutoffs
    inner join categories on cutoffs.as_of_date = categories.as_of_date
    left join bought
        on
            cutoffs.target_id = bought.target_id
            and categories.customer_key = bought.customer_key
            and categories.item_id = bought.category
            and cutoffs.as_of_date = bought.as_of_date
)

select * from final
