-- Grain: decision about a model, at most a few a day. model_version is the one that serves after a
-- promotion or a rollback, that was kept or withdrawn, or the challenger that was rejected.
with fits as (
    select * from {{ ref('model_fits') }}
),

final as (
    select
        model_name,
        decision_number,
        as_of_date,
        decision,
        cause,
        reason,
        model_version,
        row_number() over (partition by model_name order by decision_number desc nulls last) = 1
            as is_last_decision
    from fits
)

select * from final
