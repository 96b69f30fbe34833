{{ config(materialized='view') }}

-- Grain: model, customer and item ('' where the model has none), today, of what a customer may
-- stop doing. A customer whom a model cannot speak of has a row without score, and why. Deciles and
-- bands have limits that hold until the model is trained again.
with logits as (
    select * from {{ ref('propensity_logits') }}
),

requests as (
    select * from {{ ref('training_requests') }}
    where output = 'lapse_risk'
),

final as (
    select
        logits.model_name,
        logits.model_version,
        logits.customer_key,
        logits.item_id,
        logits.as_of_date,
        logits.score,
        logits.decile,
        logits.band,
        logits.unknown_reason
    from logits
    inner join requests on logits.model_name = requests.model_name
)

select * from final
