{{ config(live_table(is_last=true)) }}

-- Grain: customer and event worth a message, as of the clock: the rule is on, the customer may be
-- written to, and the message is not too late. Past events are not here; what was sent is in
-- trigger_log.
{% set models = [
    'cart_causes', 'session_causes', 'price_causes', 'customer_causes', 'return_causes',
    'segment_causes',
] -%}
with rules as (
    select * from {{ live_trigger_rules() }} as live_rules
),

recipients as (
    select * from {{ ref('trigger_recipients') }}
),

causes as (
    {%- for model in models %}
    select * from {{ ref(model) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- When the message would be due on the customer's own clock.
delayed as (
    select
        causes.*,
        rules.is_behavioural,
        rules.priority,
        rules.daily_cap,
        rules.quiet_from_hour,
        rules.quiet_until_hour,
        recipients.time_zone,
        {{ dbt.dateadd('minute', 'rules.delay_minutes', 'causes.occurred_at') }} as delayed_at,
        {{ dbt.dateadd('minute', 'rules.expires_after_minutes', 'causes.occurred_at') }}
            as expires_at
    from causes
    inner join rules
        on
            causes.trigger_type = rules.trigger_type
            and coalesce(causes.segment_id, '') = coalesce(rules.segment_id, '')
    inner join recipients
        on
            causes.customer_key = recipients.customer_key
            and (recipients.may_be_profiled or not rules.is_behavioural)
),

placed as (
    select
        *,
        {{ local_time_in('delayed_at', 'time_zone') }} as local_at
    from delayed
),

settled as (
    select
        *,
        {{ out_of_quiet('local_at', 'quiet_from_hour', 'quiet_until_hour') }} as settled_at
    from placed
),

timed as (
    select
        *,
        -- An hour that the clocks repeat is not asked for where nothing was moved.
        case
            when settled_at = local_at then delayed_at
            else {{ utc_time_from('settled_at', 'time_zone') }}
        end as first_due_at,
        {{ out_of_quiet(
            local_time_in(as_of_at(), 'time_zone'), 'quiet_from_hour', 'quiet_until_hour'
        ) }} as free_at
    from settled
),

-- Who sleeps when the build runs, though the message was due before, is left to sleep.
awake as (
    select
        *,
        case
            when
                first_due_at <= {{ as_of_at() }}
                and free_at > {{ local_time_in(as_of_at(), 'time_zone') }}
                then {{ utc_time_from('free_at', 'time_zone') }}
            else first_due_at
        end as due_at
    from timed
),

final as (
    select
        {{ entity_key(
            ['trigger_type', "coalesce(segment_id, '')", 'customer_key', 'cause']
        ) }} as trigger_key,
        trigger_type,
        segment_id,
        customer_key,
        cause,
        is_behavioural,
        time_zone,
        occurred_at,
        due_at,
        expires_at,
        priority,
        daily_cap,
        context
    from awake
    where due_at < expires_at and expires_at > {{ as_of_at() }}
)

select * from final
