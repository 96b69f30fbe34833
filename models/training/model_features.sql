-- Grain: feature of a version of a model of a probability. What it tells of the label by itself,
-- and how far it moved between the first and the last cutoff of the training sample.
with versions as (
    select * from {{ ref('model_versions') }}
    where algorithm not in ('k_means', 'bg_nbd_gamma_gamma')
),

catalog as (
    select * from {{ ref('feature_catalog') }}
),

exploded as (
    select
        versions.model_name,
        versions.model_version,
        versions.is_serving,
        {{ json_field('features', 'feature', 'varchar') }} as feature,
        {{ json_field('features', 'mutual_information', 'double') }} as mutual_information,
        {{ json_field('features', 'stability', 'double') }} as stability_index
    from versions
    {{ json_elements('versions.payload', 'features', 'features') }}
),

families as (
    select
        feature,
        min(family) as family
    from catalog
    group by feature
),

final as (
    select
        exploded.model_name,
        exploded.model_version,
        exploded.is_serving,
        exploded.feature,
        families.family,
        exploded.mutual_information,
        exploded.stability_index
    from exploded
    left join families on exploded.feature = families.feature
)

select * from final
