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
        {{ json_field('rows', 'persona_id', 'varchar') }} as persona_id,
        {{ json_field('rows', 'persona_name', 'varchar') }} as persona_name,
        {{ json_field('rows', 'portrait', 'varchar') }} as portrait,
        {{ json_field('rows', 'share', 'double') }} as member_rate,
        {{ json_field('rows', 'feature', 'varchar') }} as feature,
        {{ json_field('rows', 'mean', 'double') }} as feature_mean,
        {{ json_field('rows', 'scale', 'double') }} as feature_scale,
        {{ json_field('rows', 'clip', 'double') }} as clip,
        {{ json_field('rows', 'centroid', 'double') }} as centroid,
        {{ json_field('rows', 'offset', 'double') }} as half_square,
        {{ json_field('rows', 'weight', 'double') }} as weight
    from versions
    {{ json_elements('versions.payload', 'centroids', 'rows') }}
)

select * from final
