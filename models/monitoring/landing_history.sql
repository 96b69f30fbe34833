{{ config(
    materialized='incremental',
    database=state_database(),
    transient=false,
    full_refresh=false,
    incremental_strategy='append',
    on_schema_change='append_new_columns'
) }}

-- Grain: build, landing table and column ('*' for the table as a whole). State
-- (docs/decisions/0012): what the landing held, beside what it held before, with the worst limit
-- that the change crosses. Before is the last build of an earlier day, else of this day, in which
-- the column broke no limit of an error: a broken load never becomes what others are held against.
with landed as (
    select * from {{ ref('landing_columns') }}
),

limits as (
    select * from {{ ref('landing_change_limits') }}
),

{% if is_incremental() -%}
before as (
    select * from {{ this }}
    where run_id <> '{{ invocation_id }}' and coalesce(severity <> 'error', true)
    qualify
        row_number() over (
            partition by landing_table, column_name
            order by
                case when as_of_date < {{ as_of_date() }} then 0 else 1 end,
                built_at desc nulls last,
                run_id
        ) = 1
),
{%- else -%}
before as (
    select landed.*, {{ as_of_date() }} as as_of_date
    from landed
    where 1 = 0
),
{%- endif %}

compared as (
    select
        landed.*,
        before.as_of_date as previous_date,
        before.row_count as previous_row_count,
        before.null_count as previous_null_count,
        landed.row_count - before.row_count as new_row_count,
        landed.null_count - before.null_count as new_null_count,
        cast(landed.null_count as double) / nullif(landed.row_count, 0) as null_rate,
        cast(before.null_count as double) / nullif(before.row_count, 0) as previous_null_rate
    from landed
    left join before
        on landed.landing_table = before.landing_table and landed.column_name = before.column_name
),

-- Of the limits for a measure the one that says most about the column.
limited as (
    select
        compared.*,
        limits.measure,
        limits.at_least_rows,
        limits.warn_above,
        limits.error_above
    from compared
    left join limits
        on
            limits.landing_table in (compared.landing_table, '*')
            and limits.column_name in (compared.column_name, '*')
            and (compared.column_name = '*') = (limits.measure in ('rows_fall', 'rows_rise'))
    qualify
        row_number() over (
            partition by compared.landing_table, compared.column_name, limits.measure
            order by
                nullif(limits.landing_table, '*') nulls last,
                nullif(limits.column_name, '*') nulls last
        ) = 1
),

measured as (
    select
        *,
        cast(case
            when measure = 'rows_fall' and previous_row_count >= at_least_rows
                then -cast(new_row_count as double) / nullif(previous_row_count, 0)
            when measure = 'rows_rise' and previous_row_count >= at_least_rows
                then cast(new_row_count as double) / nullif(previous_row_count, 0)
            when measure = 'nulls_rise' and least(row_count, previous_row_count) >= at_least_rows
                then null_rate - previous_null_rate
            -- Rows that were replaced can take this share out of its range.
            when measure = 'new_nulls_rise' and new_row_count >= at_least_rows
                then
                    least(cast(new_null_count as double) / nullif(new_row_count, 0), 1)
                    - previous_null_rate
        end as decimal(18, 6)) as change_rate
    from limited
),

judged as (
    select
        *,
        case
            when change_rate > error_above
                then '{{ "warn" if var("accept_landing_changes") else "error" }}'
            when change_rate > warn_above then 'warn'
        end as severity
    from measured
),

final as (
    select
        '{{ invocation_id }}' as run_id,
        timestamp '{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as built_at,
        {{ as_of_date() }} as as_of_date,
        landing_table,
        column_name,
        row_count,
        null_count,
        previous_date,
        previous_row_count,
        previous_null_count,
        case when severity is not null then measure end as measure,
        case when severity is not null then change_rate end as change_rate,
        severity
    from judged
    qualify
        row_number() over (
            partition by landing_table, column_name
            order by severity nulls last, measure
        ) = 1
)

select * from final
where {{ has_rows() }}
