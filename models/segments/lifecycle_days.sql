-- Grain: lifecycle threshold. The suggestion is the number of days within which the seed's share of
-- all repeat purchases of this shop comes; the var lifecycle_days says which of the two is used.
with thresholds as (
    select * from {{ ref('lifecycle_thresholds') }}
),

gaps as (
    select
        gap_days,
        row_number() over (order by gap_days, customer_key, order_date) as gap_number,
        count(*) over () as gap_count
    from {{ ref('customer_purchase_days') }}
    where gap_days is not null
),

suggestions as (
    select
        thresholds.threshold_id,
        min(gaps.gap_days) as suggested_days
    from thresholds
    inner join gaps on gaps.gap_number >= thresholds.rhythm_quantile * gaps.gap_count
    group by thresholds.threshold_id
),

final as (
    select
        thresholds.threshold_id,
        cast(thresholds.fixed_days as integer) as fixed_days,
        cast(suggestions.suggested_days as integer) as suggested_days,
        cast(
            {%- if var('lifecycle_days') == 'rhythm' %}
            coalesce(suggestions.suggested_days, thresholds.fixed_days)
            {%- else %}
            thresholds.fixed_days
            {%- endif %} as integer
        ) as days
    from thresholds
    left join suggestions on thresholds.threshold_id = suggestions.threshold_id
)

select * from final
