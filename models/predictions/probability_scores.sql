-- Grain: model of a probability, customer and item ('' where the model has none), today. A customer
-- whom a model cannot speak of has a row without score, and why. Deciles are of today's customers;
-- bands have limits that hold until the model is trained again.
with logits as (
    select * from {{ ref('propensity_logits') }}
),

requests as (
    select * from {{ ref('training_requests') }}
),

scored as (
    select
        model_name,
        model_version,
        customer_key,
        item_id,
        as_of_date,
        cast(round(1 / (1 + exp(-logit)), 5) as decimal(6, 5)) as score,
        band,
        unknown_reason
    from logits
),

counted as (
    select
        model_name,
        score,
        count(*) as row_count
    from scored
    where score is not null
    group by model_name, score
),

placed as (
    select
        model_name,
        score,
        sum(row_count) over (partition by model_name order by score asc) - row_count
            as below_count,
        sum(row_count) over (partition by model_name) as all_count
    from counted
),

ranked as (
    select
        model_name,
        score,
        1 + {{ integer_divide('10 * below_count', 'all_count') }} as decile
    from placed
),

final as (
    select
        requests.output,
        scored.model_name,
        scored.model_version,
        scored.customer_key,
        scored.item_id,
        scored.as_of_date,
        scored.score,
        ranked.decile,
        scored.band,
        scored.unknown_reason
    from scored
    inner join requests on scored.model_name = requests.model_name
    left join ranked on scored.model_name = ranked.model_name and scored.score = ranked.score
)

select * from final
