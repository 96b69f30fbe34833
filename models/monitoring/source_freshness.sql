-- Grain: landing table that the shop has and kind of time: of loading, where the loader writes
-- loaded_at, and of the newest event before the clock. Ages are at the clock, so that a replay is
-- as fresh as it was; what was loaded after the clock has no age.
with times as (
    select * from {{ ref('landing_columns') }}
    where time_kind is not null
),

limits as (
    select * from {{ ref('freshness_limits') }}
),

aged as (
    select
        landing_table,
        time_kind,
        column_name,
        newest_at,
        case
            when newest_at >= {{ as_of_at() }} then 0
            else {{ dbt.datediff('newest_at', as_of_at(), 'second') }}
        end as age_seconds
    from times
),

final as (
    select
        aged.landing_table,
        aged.time_kind,
        aged.column_name,
        aged.newest_at,
        cast(cast(aged.age_seconds as double) / 3600 as decimal(18, 2)) as age_hours,
        limits.warn_after_hours,
        limits.error_after_hours,
        case
            when aged.age_seconds > limits.error_after_hours * 3600 then 'error'
            when aged.age_seconds > limits.warn_after_hours * 3600 then 'warn'
        end as severity
    from aged
    left join limits
        on aged.landing_table = limits.landing_table and aged.time_kind = limits.time_kind
)

select * from final
