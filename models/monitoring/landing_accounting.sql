-- Grain: landing table that staging reads. Raw rows are counted in the landing itself, verdicts in
-- the base models; a test holds them against each other.
{%- set statuses = ['accepted', 'superseded', 'rejected', 'not_yet', 'withheld', 'expired'] %}
with raw_counts as (
    {%- for source_name, table_name, model in staged_tables() %}
    select
        '{{ table_name }}' as landing_table,
        count(*) as raw_count
    from {{ landing_rows(source_name, table_name) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

verdicts as (
    {%- for source_name, table_name, model in staged_tables() %}
    select
        '{{ table_name }}' as landing_table,
        row_status,
        count(*) as row_count,
        count(unusable_columns) as unusable_count
    from {{ ref(model) }}
    group by row_status
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

counted as (
    select
        landing_table,
        {%- for status in statuses %}
        sum(case when row_status = '{{ status }}' then row_count else 0 end) as {{ status }}_count,
        {%- endfor %}
        sum(case when row_status = 'accepted' then unusable_count else 0 end)
            as unusable_value_row_count
    from verdicts
    group by landing_table
),

final as (
    select
        raw_counts.landing_table,
        raw_counts.raw_count,
        {%- for status in statuses %}
        cast(coalesce(counted.{{ status }}_count, 0) as bigint) as {{ status }}_count,
        {%- endfor %}
        cast(
            coalesce(cast(counted.rejected_count as double) / nullif(raw_counts.raw_count, 0), 0)
            as decimal(9, 6)
        ) as rejected_rate,
        cast(coalesce(counted.unusable_value_row_count, 0) as bigint) as unusable_value_row_count
    from raw_counts
    left join counted on raw_counts.landing_table = counted.landing_table
)

select * from final
