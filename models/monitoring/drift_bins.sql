-- Grain: model that serves, fit, feature ('' for its score) and bin of training. The share of the
-- people that the model speaks of today in each, beside the share in training: of ten thousand
-- customers at most, those with the smallest hash of their key.
with bins as (
    select * from {{ ref('training_bins') }}
),

requests as (
    select
        model_name,
        coalesce(target_grain, 'customer') as grain
    from {{ ref('training_requests') }}
),

sampled as (
    select customer_key
    from {{ ref('customer_features') }}
    order by md5(customer_key) asc nulls last
    limit 10000
),

feature_rows as (
    {%- for grain, name, item in [
        ('customer', 'customer_features', "''"),
        ('customer_category', 'customer_category_features', 'item_id'),
        ('customer_send', 'customer_send_features', 'item_id'),
    ] %}
    select
        '{{ grain }}' as grain,
        long_rows.*
    from (
        {{ features_as_rows(
            ref(name), name, item, 'customer_key in (select sampled.customer_key from sampled)'
        ) }}
    ) as long_rows
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

longest as (
    select max(horizon_days) as horizon_days from {{ ref('lifetime_value_horizons') }}
),

-- Whom a model speaks of, and what it says of them.
members as (
    select
        logits.model_name,
        logits.customer_key,
        logits.item_id,
        logits.logit as score
    from {{ ref('propensity_logits') }} as logits
    inner join sampled on logits.customer_key = sampled.customer_key
    where logits.unknown_reason is null
    union all
    select
        lifetime_values.model_name,
        lifetime_values.customer_key,
        '' as item_id,
        cast(lifetime_values.predicted_value_amount as double) as score
    from {{ ref('lifetime_values') }} as lifetime_values
    inner join sampled on lifetime_values.customer_key = sampled.customer_key
    inner join longest on lifetime_values.horizon_days = longest.horizon_days
    where lifetime_values.unknown_reason is null
    union all
    select
        personas.model_name,
        personas.customer_key,
        '' as item_id,
        cast(bins.bin_number as double) as score
    from {{ ref('customer_personas') }} as personas
    inner join sampled on personas.customer_key = sampled.customer_key
    inner join bins
        on personas.model_name = bins.model_name and personas.persona_id = bins.persona_id
),

figures as (
    select
        members.model_name,
        feature_rows.feature,
        feature_rows.feature_value as figure
    from members
    inner join requests on members.model_name = requests.model_name
    inner join feature_rows
        on
            requests.grain = feature_rows.grain
            and members.customer_key = feature_rows.customer_key
            and members.item_id = feature_rows.item_id
    union all
    select
        model_name,
        '' as feature,
        score as figure
    from members
),

placed as (
    select
        bins.model_name,
        bins.fit_version,
        bins.feature,
        bins.bin_number,
        count(*) as row_count,
        sum({{ part_up_to('figures.figure', 'bins.upper_bound', 'bins.width') }}) as rows_up_to
    from bins
    inner join figures
        on bins.model_name = figures.model_name and bins.feature = figures.feature
    group by bins.model_name, bins.fit_version, bins.feature, bins.bin_number
),

final as (
    select
        bins.model_name,
        bins.model_version,
        bins.fit_version,
        bins.feature,
        bins.bin_number,
        bins.persona_id,
        bins.upper_bound,
        bins.training_row_count,
        bins.day_row_count,
        placed.row_count,
        bins.expected_rate,
        bins.day_rate,
        cast(
            (
                placed.rows_up_to - coalesce(
                    lag(placed.rows_up_to) over (
                        partition by bins.model_name, bins.fit_version, bins.feature
                        order by bins.bin_number asc nulls last
                    ),
                    0
                )
            ) / cast(placed.row_count as double) as decimal(12, 9)
        ) as actual_rate
    from bins
    inner join placed
        on
            bins.model_name = placed.model_name
            and bins.fit_version = placed.fit_version
            and bins.feature = placed.feature
            and bins.bin_number = placed.bin_number
)

select * from final
