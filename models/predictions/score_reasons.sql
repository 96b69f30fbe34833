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
        {%- for number in [1, 2, 3] %}
        logits.family_{{ number }},
        families_{{ number }}.family_name
        || case when logits.contribution_{{ number }} > 0 then ' raises it' else ' lowers it' end
            as reason_{{ number }},
        logits.contribution_{{ number }},
        {%- endfor %}
        logits.other_contribution
    from logits
    {%- for number in [1, 2, 3] %}
    left join families as families_{{ number }}
        on logits.family_{{ number }} = families_{{ number }}.family
    {%- endfor %}
)

select * from final
