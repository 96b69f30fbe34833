{{ config(
    materialized='incremental',
    database=state_database(),
    transient=false,
    full_refresh=false,
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook="{{ forget_triggers(this) }}"
) }}

-- Grain: trigger that fired. State (docs/decisions/0004): what was fired never fires again. A build
-- fires what is due and not too late, the most important first, as far as the customer's day has
-- room; the rest waits. While profiling_basis is not declared nothing fires. Erased people have no
-- rows, nor have people who may not be profiled behavioural ones (the pre-hook).
-- depends_on: {{ ref('dim_customers') }}, {{ ref('profiled_customers') }}
-- depends_on: {{ ref('dim_identifiers') }}, {{ ref('fct_orders') }}
with events as (
    select * from {{ ref('trigger_events') }}
),

thresholds as (
    select {{ trigger_threshold('*', 'daily_cap') }} as daily_cap
    from {{ ref('trigger_thresholds') }}
),

-- A customer who changed key is still the one who got the message.
fired as (
    {%- if is_incremental() %}
    select
        log.trigger_key,
        log.trigger_type,
        coalesce(log.segment_id, '') as segment_id,
        log.cause,
        log.fired_date,
        coalesce(records.customer_key, log.customer_key) as customer_key
    from {{ this }} as log
    left join {{ record_keys() }} as records on log.customer_key = records.record_key
    {%- else %}
    select
        trigger_key,
        trigger_type,
        segment_id,
        cause,
        cast(null as date) as fired_date,
        customer_key
    from events
    where 1 = 0
    {%- endif %}
),

due as (
    select
        events.*,
        cast({{ local_time_in(as_of_at(), 'events.time_zone') }} as date) as local_date
    from events
    left join fired
        on
            events.customer_key = fired.customer_key
            and events.trigger_type = fired.trigger_type
            and coalesce(events.segment_id, '') = fired.segment_id
            and events.cause = fired.cause
    where
        fired.trigger_key is null
        and events.due_at <= {{ as_of_at() }}
        {%- if var('profiling_basis') is none %}
        and 1 = 0
        {%- endif %}
),

-- What the day has had already, by rule and in all.
had as (
    select
        due.trigger_key,
        count(fired.trigger_key) as had_count,
        count(
            case
                when
                    due.trigger_type = fired.trigger_type
                    and coalesce(due.segment_id, '') = fired.segment_id
                    then fired.trigger_key
            end
        ) as had_of_rule_count
    from due
    left join fired
        on due.customer_key = fired.customer_key and due.local_date = fired.fired_date
    group by due.trigger_key
),

within_rule as (
    select
        due.*,
        had.had_count
    from due
    inner join had on due.trigger_key = had.trigger_key
    qualify
        coalesce(
            row_number() over (
                partition by due.customer_key, due.trigger_type, due.segment_id
                order by due.due_at, due.trigger_key
            ) + had.had_of_rule_count <= due.daily_cap,
            true
        )
),

within_day as (
    select within_rule.*
    from within_rule
    cross join thresholds
    qualify
        coalesce(
            row_number() over (
                partition by within_rule.customer_key
                order by within_rule.priority, within_rule.due_at, within_rule.trigger_key
            ) + within_rule.had_count <= thresholds.daily_cap,
            true
        )
),

final as (
    select
        trigger_key,
        trigger_type,
        segment_id,
        customer_key,
        cause,
        is_behavioural,
        occurred_at,
        due_at,
        expires_at,
        {{ as_of_at() }} as fired_at,
        local_date as fired_date,
        priority,
        context
    from within_day
)

select * from final
where {{ has_rows() }}
