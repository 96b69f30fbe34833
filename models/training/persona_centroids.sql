-- Grain: version of the personas, persona and feature. Distances are taken in standard deviations
-- from the mean of the training sample, clipped.
with versions as (
    select * from {{ ref('model_versions') }}
    where algorithm = 'k_means'
),

final as (
    select
        versions.model_version,
        versions.is_serving,
        {{ json_field('parts', 'persona_id', 'varchar') }} as persona_id,
        {{ json_field('parts', 'persona_name', 'varchar') }} as persona_name,
        {{ json_field('parts', 'portrait', 'varchar') }} as portrait,
        {{ json_field('parts', 'share', 'double') }} as member_rate,
        {{ json_field('parts', 'feature', 'varchar') }} as feature,
        {{ json_field('parts', 'mean', 'double') }} as feature_mean,
        {{ json_field('parts', 'scale', 'double') }} as feature_scale,
        {{ json_field('parts', 'clip', 'double') }} as clip,
        {{ json_field('parts', 'centroid', 'double') }} as centroid,
        {{ json_field('parts', 'offset', 'double') }} as half_square,
        {{ json_field('parts', 'weight', 'double') }} as weight
    from versions
    {{ json_elements('versions.payload', 'centroids', 'parts') }}
)

select * from final
