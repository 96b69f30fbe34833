{{ config(materialized='view') }}

-- Grain: model that serves, fit, feature ('' for its score) and bin. The bins of the sample that
-- the version was trained on, as they are stored with the fit, and, of its features, those of the
-- last fit before today that it was kept over. A bin reaches up to its upper bound, the last
-- without end. Of lifetime values the bins are tenths, of personas one bin each.
with trained as (
    select
        *,
        algorithm not in ('k_means', 'bg_nbd_gamma_gamma') as is_probability
    from {{ ref('model_versions') }}
),

versions as (
    select
        *,
        model_version as fit_version
    from trained
    where is_serving
),

rejected as (
    select
        * exclude (model_version),
        model_version as fit_version
    from trained
    where decision = 'rejected' and as_of_date < {{ as_of_date() }}
),

fits as (
    select * from versions
    union all by name
    select
        rejected.*,
        versions.model_version
    from rejected
    inner join versions
        on
            rejected.model_name = versions.model_name
            and rejected.decision_number > versions.decision_number
    qualify
        row_number() over (
            partition by rejected.model_name order by rejected.decision_number desc nulls last
        ) = 1
),

numbers as (
    {{ dbt.generate_series(30) }}
),

binned_features as (
    select
        fits.model_name,
        fits.model_version,
        fits.fit_version,
        fits.row_count as training_row_count,
        {{ json_field('features', 'feature', 'varchar') }} as feature,
        {{ json_field('features', 'edges', 'varchar') }} as edges,
        {{ json_field('features', 'shares', 'varchar') }} as rates,
        {{ json_field('features', 'day_shares', 'varchar') }} as day_rates,
        {{ json_field('features', 'day_rows', 'bigint') }} as day_row_count,
        {{ json_field('features', 'width', 'double') }} as width
    from fits
    {{ json_elements('fits.payload', 'features', 'features') }}
    union all
    select
        model_name,
        model_version,
        fit_version,
        row_count as training_row_count,
        '' as feature,
        {{ json_at('payload', 'scores.edges', 'varchar') }} as edges,
        {{ json_at('payload', 'scores.shares', 'varchar') }} as rates,
        {{ json_at('payload', 'scores.day_shares', 'varchar') }} as day_rates,
        {{ json_at('payload', 'scores.day_rows', 'bigint') }} as day_row_count,
        {{ json_at('payload', 'scores.width', 'double') }} as width
    from versions
    where is_probability
),

bins as (
    select
        binned_features.*,
        numbers.generated_number as bin_number,
        {{ json_item('edges', 'numbers.generated_number - 1', 'double') }} as upper_bound,
        {{ json_item('rates', 'numbers.generated_number - 1', 'double') }} as expected_rate,
        {{ json_item('day_rates', 'numbers.generated_number - 1', 'double') }} as day_rate
    from binned_features
    cross join numbers
),

lifetime_limits as (
    select
        versions.model_name,
        versions.model_version,
        versions.row_count as training_row_count,
        {{ json_field('limits', 'edges', 'varchar') }} as edges,
        {{ json_field('limits', 'shares', 'varchar') }} as rates
    from versions
    {{ json_elements('versions.payload', 'limits', 'limits') }}
    where versions.algorithm = 'bg_nbd_gamma_gamma'
    qualify
        row_number() over (
            order by {{ json_field('limits', 'horizon_days', 'integer') }} desc nulls last
        ) = 1
),

lifetime_tenths as (
    select
        lifetime_limits.*,
        {{ json_item('edges', 'numbers.generated_number - 1', 'double') }} as upper_bound,
        -- Where many are worth the same, a decile holds more than a tenth, and another nobody.
        coalesce(
            {{ json_item('rates', 'numbers.generated_number - 1', 'double') }},
            cast(0.1 as double)
        ) as tenth_rate
    from lifetime_limits
    cross join numbers
    where numbers.generated_number <= 10
),

personas as (
    select distinct
        'personas' as model_name,
        model_version,
        persona_id,
        member_rate
    from {{ ref('persona_centroids') }}
    where is_serving
),

united as (
    select * from bins
    where expected_rate is not null
    union all by name
    -- Equal limits are one bin.
    select
        model_name,
        model_version,
        model_version as fit_version,
        '' as feature,
        row_number() over (order by upper_bound asc nulls last) as bin_number,
        upper_bound,
        max(training_row_count) as training_row_count,
        cast(sum(cast(tenth_rate as decimal(12, 9))) as double) as expected_rate
    from lifetime_tenths
    group by model_name, model_version, upper_bound
    union all by name
    select
        personas.model_name,
        personas.model_version,
        personas.model_version as fit_version,
        '' as feature,
        row_number() over (order by personas.persona_id asc nulls last) as bin_number,
        cast(
            row_number() over (order by personas.persona_id asc nulls last) as double
        ) as upper_bound,
        personas.persona_id,
        versions.row_count as training_row_count,
        personas.member_rate as expected_rate
    from personas
    inner join versions
        on
            personas.model_name = versions.model_name
            and personas.model_version = versions.model_version
),

final as (
    select
        model_name,
        model_version,
        fit_version,
        feature,
        cast(bin_number as integer) as bin_number,
        persona_id,
        upper_bound,
        width,
        cast(training_row_count as bigint) as training_row_count,
        day_row_count,
        cast(expected_rate as decimal(12, 9)) as expected_rate,
        cast(day_rate as decimal(12, 9)) as day_rate
    from united
)

select * from final
