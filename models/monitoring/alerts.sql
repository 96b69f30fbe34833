-- Grain: limit that this build crosses, of data quality or of a model. A figure of a model has the
-- limits of seeds/monitoring/model_limits.csv; where it has an interval, the bound nearer to no
-- alarm counts.
with limits as (
    select * from {{ ref('model_limits') }}
),

performance as (
    select *
    from {{ ref('model_performance') }}
    qualify
        row_number() over (
            partition by model_name
            order by as_of_date desc nulls last, model_version asc nulls last
        ) = 1
),

segments as (
    select *
    from {{ ref('segment_outcomes') }}
    where band = 'high'
    qualify
        row_number() over (
            partition by model_name
            order by as_of_date desc nulls last, model_version asc nulls last
        ) = 1
),

measured as (
    select
        'feature_drift' as measure,
        model_name,
        feature as part,
        least(row_count, training_row_count) as row_count,
        stability_index as figure,
        'The feature has moved since training: stability index ' as words
    from {{ ref('feature_drift') }}
    union all
    select
        'score_drift' as measure,
        model_name,
        'score' as part,
        least(row_count, training_row_count) as row_count,
        stability_index as figure,
        'The scores have moved since training: stability index ' as words
    from {{ ref('score_drift') }}
    union all
    select
        'auc_fall' as measure,
        model_name,
        'auc' as part,
        least(positive_count, row_count - positive_count) as row_count,
        (training_auc - auc_high) / nullif(training_auc - 0.5, 0) as figure,
        'It ranks worse than at training. Share of the AUC above chance that is lost, at least: '
            as words
    from performance
    union all
    select
        'calibration_error' as measure,
        model_name,
        'score' as part,
        row_count,
        abs(mean_score - base_rate) - 1.96 * sqrt(base_rate * (1 - base_rate) / row_count)
            as figure,
        'Scores are too high or too low on average, at least by ' as words
    from performance
    union all
    select
        'segment_outcome' as measure,
        model_name,
        coalesce(segment_id, band) as part,
        row_count,
        base_rate / nullif(happened_high_rate, 0) as figure,
        'What was predicted happens less among those called likely than among all: all against'
        || ' them, at least ' as words
    from segments
    {%- for measure, count, words in [
        ('selection', 'row', 'The model selects a group more or less often than others, at least by the factor '),
        ('error', 'happened', 'More or less happens in a group, against what was expected, than in others, at least by the factor '),
    ] %}
    union all
    select
        '{{ measure }}_ratio' as measure,
        model_name,
        attribute_name || ': ' || group_name as part,
        least({{ count }}_count, other_{{ count }}_count) as row_count,
        {{ certain_factor(measure ~ '_ratio') }} as figure,
        '{{ words }}' as words
    from {{ ref('bias_audit') }}
    where group_name <> 'unknown'
    {%- endfor %}
),

-- Of the limits of a measure the model's own goes first, then the part's.
limited as (
    select
        measured.measure,
        measured.model_name,
        measured.part,
        measured.row_count,
        measured.words,
        cast(measured.figure as decimal(18, 4)) as figure,
        limits.at_least_rows,
        limits.warn_above,
        limits.error_above
    from measured
    inner join limits
        on
            measured.measure = limits.measure
            and limits.model_name in (measured.model_name, '*')
            and limits.part in (measured.part, '*')
    qualify
        row_number() over (
            partition by measured.measure, measured.model_name, measured.part
            order by
                nullif(limits.model_name, '*') asc nulls last,
                nullif(limits.part, '*') asc nulls last
        ) = 1
),

judged as (
    select
        *,
        case
            when row_count < at_least_rows then null
            when figure > error_above then 'error'
            when figure > warn_above then 'warn'
        end as severity
    from limited
),

final as (
    select
        'landing' as area,
        check_name,
        landing_table as subject,
        column_name as part,
        severity,
        message
    from {{ ref('data_quality_alerts') }}
    union all
    select
        'model' as area,
        measure as check_name,
        model_name as subject,
        part,
        severity,
        words || cast(figure as varchar) || '; allowed is '
        || cast(
            cast(
                case when severity = 'error' then error_above else warn_above end as decimal(18, 4)
            ) as varchar
        ) || '.' as message
    from judged
    where severity is not null
)

select * from final
