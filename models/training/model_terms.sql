-- Grain: term of a version of a model of a probability. The logit is the intercept (the row without
-- feature) plus, per feature, intercept + slope x of the one term with lower_bound < x and
-- x <= upper_bound, where a null bound is none.
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
        {{ json_field('terms', 'feature', 'varchar') }} as feature,
        {{ json_field('terms', 'lower', 'double') }} as lower_bound,
        {{ json_field('terms', 'upper', 'double') }} as upper_bound,
        {{ json_field('terms', 'intercept', 'double') }} as intercept,
        {{ json_field('terms', 'slope', 'double') }} as slope
    from versions
    {{ json_elements('versions.payload', 'terms', 'terms') }}
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
        cast(
            row_number() over (
                partition by exploded.model_name, exploded.model_version
                order by exploded.feature asc nulls first, exploded.upper_bound asc nulls last
            ) as integer
        ) as term_number,
        exploded.feature,
        families.family,
        exploded.lower_bound,
        exploded.upper_bound,
        exploded.intercept,
        exploded.slope
    from exploded
    left join families on exploded.feature = families.feature
)

select * from final
