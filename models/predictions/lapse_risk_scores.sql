{{ config(materialized='view') }}

-- Grain: model, customer and item ('' where the model has none), today, of what a customer may stop doing: buying, spending, responding.
with scores as (
    select * from {{ ref('probability_scores') }}
    where output = 'lapse_risk'
),

final as (
    select
        model_name,
        model_version,
        customer_key,
        item_id,
        as_of_date,
        score,
        decile,
        band,
        unknown_reason
    from scores
)

select * from final
