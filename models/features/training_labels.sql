{{ config(materialized='view') }}

-- Grain: target, customer, item ('' where the target has none) and cutoff, for the population of
-- the target, where the window had ended by the run's day. Whoever asks for one grain asks its own
-- labels, and does not pay for the others.
with labels as (
    select * from {{ ref('customer_labels') }}
    union all
    select * from {{ ref('category_labels') }}
    union all
    select * from {{ ref('send_labels') }}
),

final as (
    select
        target_id,
        customer_key,
        item_id,
        as_of_date,
        label_window_end,
        label
    from labels
)

select * from final
