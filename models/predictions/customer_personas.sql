{{ config(materialized='view') }}

-- Grain: customer who may be profiled, today. People who never bought have no persona.
with assignments as (
    select * from {{ ref('persona_assignments') }}
),

centroids as (
    select distinct
        persona_id,
        persona_name,
        portrait
    from {{ ref('persona_centroids') }}
    where is_serving
),

final as (
    select
        'personas' as model_name,
        assignments.model_version,
        assignments.customer_key,
        assignments.as_of_date,
        assignments.persona_id,
        coalesce(centroids.persona_name, 'unknown') as persona_name,
        centroids.portrait,
        assignments.unknown_reason
    from assignments
    left join centroids on assignments.persona_id = centroids.persona_id
)

select * from final
