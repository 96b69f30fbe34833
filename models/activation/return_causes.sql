{{ config(live_table()) }}

-- Grain: customer who has bought before and came back after a lapse, while it is not too late to
-- write. A lapse is a time without an order and without a visit; it is named by its beginning. The
-- causes must be younger than a lapse is long.
with rules as (
    select * from {{ live_trigger_rules() }} as live_rules
    where trigger_type = 'back_after_lapse'
),

recipients as (
    select * from {{ ref('trigger_recipients') }}
    where may_be_profiled
),

lapses as (
    select {{ trigger_threshold('back_after_lapse', 'lapse_days') }} as lapse_days
    from {{ ref('trigger_thresholds') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
    where is_valid and customer_key is not null
),

acts as (
    select
        customer_key,
        ordered_at as acted_at,
        'order' as act
    from orders
    union all
    select
        customer_key,
        started_at as acted_at,
        'visit' as act
    from {{ ref('fct_web_sessions') }}
    where customer_key is not null
),

returns as (
    select
        rules.trigger_type,
        acts.customer_key,
        min(case when acts.act = 'order' then acts.acted_at end) as first_ordered_at,
        max(case when acts.acted_at <= rules.since_at then acts.acted_at end) as left_at,
        min(case when acts.acted_at > rules.since_at then acts.acted_at end) as returned_at,
        max(case when acts.act = 'order' then acts.acted_at end) as last_ordered_at
    from acts
    cross join rules
    group by rules.trigger_type, acts.customer_key
),

final as (
    select
        returns.trigger_type,
        cast(null as varchar) as segment_id,
        returns.customer_key,
        {{ time_text('returns.left_at') }} as cause,
        returns.returned_at as occurred_at,
        {{ json_text([
            ['last_seen', 'cast(' ~ local_date('returns.left_at') ~ ' as varchar)', true],
            [
                'came_back_with',
                "case when returns.last_ordered_at >= returns.returned_at then 'order'"
                ~ " else 'visit' end",
                true,
            ],
        ]) }} as context
    from returns
    inner join recipients on returns.customer_key = recipients.customer_key
    cross join lapses
    where
        returns.first_ordered_at <= returns.left_at
        and returns.returned_at
        > {{ dbt.dateadd('day', 'cast(lapses.lapse_days as integer)', 'returns.left_at') }}
)

select * from final
