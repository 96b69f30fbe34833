{{ config(materialized='view') }}

-- Grain: model, customer and item of which there is a score, today. The three families of features
-- that move the logit most from that of the mean customer of training. Intercept, the three
-- contributions and the other add up to the logit.
with logits as (
    select * from {{ ref('propensity_logits') }}
    where logit is not null
),

families as (
    select * from {{ ref('feature_families') }}
),

final as (
    select
        logits.model_name,
        logits.model_version,
        logits.customer_key,
        logits.item_id,
        logits.as_of_date,
        logits.logit,
        logits.intercept,
        logits.family_1,
        families_1.family_name
        || case when logits.contribution_1 > 0 then ' raises it' else ' lowers it' end as reason_1,
        logits.contribution_1,
        logits.family_2,
        families_2.family_name
        || case when logits.contribution_2 > 0 then ' raises it' else ' lowers it' end as reason_2,
        logits.contribution_2,
        logits.family_3,
        families_3.family_name
        || case when logits.contribution_3 > 0 then ' raises it' else ' lowers it' end as reason_3,
        logits.contribution_3,
        logits.other_contribution
    from logits
    left join families as families_1 on logits.family_1 = families_1.family
    left join families as families_2 on logits.family_2 = families_2.family
    left join families as families_3 on logits.family_3 = families_3.family
)

select * from final
