-- Grain: model and version that was ever trained. At most one version of a model serves: the last
-- that was promoted or rolled back to, unless it was withdrawn.
with fits as (
    select * from {{ ref('model_fits') }}
),

trained as (
    select * from fits
    where payload is not null
),

changes as (
    select
        model_name,
        model_version,
        decision
    from fits
    where decision in ('promoted', 'rolled_back', 'withdrawn')
    qualify row_number() over (partition by model_name order by decision_number desc nulls last) = 1
),

serving as (
    select * from changes
    where decision <> 'withdrawn'
),

final as (
    select
        trained.model_name,
        trained.model_version,
        trained.decision_number,
        trained.as_of_date,
        trained.trained_to as trained_to_date,
        trained.algorithm,
        trained.decision,
        serving.model_version is not null as is_serving,
        trained.row_count,
        trained.data_hash,
        trained.definition_hash,
        trained.features,
        trained.parameters,
        trained.reason,
        trained.payload
    from trained
    left join serving
        on
            trained.model_name = serving.model_name
            and trained.model_version = serving.model_version
    qualify
        row_number() over (
            partition by trained.model_name, trained.model_version
            order by trained.decision_number desc nulls last
        ) = 1
)

select * from final
