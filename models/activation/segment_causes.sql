{{ config(live_table()) }}

-- Grain: customer and segment entered, while it is not too late to write, for the segments in
-- seeds/triggers. Nobody knows since when the first members of a segment are in it: they have not
-- entered.
with rules as (
    select * from {{ live_trigger_rules() }} as live_rules
    where trigger_type = 'segment_entered'
),

recipients as (
    select * from {{ ref('trigger_recipients') }}
    where may_be_profiled
),

spells as (
    select * from {{ ref('segment_spells') }}
),

first_days as (
    select
        segment_id,
        min(entered_date) as first_entered_date
    from spells
    group by segment_id
),

entries as (
    select
        rules.trigger_type,
        rules.since_at,
        spells.segment_id,
        spells.customer_key,
        spells.entered_date,
        {{ utc_time_from(
            'cast(spells.entered_date as timestamp)', "'" ~ var('shop_timezone') ~ "'"
        ) }} as occurred_at
    from spells
    inner join rules on spells.segment_id = rules.segment_id
    inner join first_days on spells.segment_id = first_days.segment_id
    inner join recipients on spells.customer_key = recipients.customer_key
    where spells.left_date is null and spells.entered_date > first_days.first_entered_date
),

final as (
    select
        trigger_type,
        segment_id,
        customer_key,
        cast(entered_date as varchar) as cause,
        occurred_at,
        {{ json_text([['segment_id', 'segment_id', true]]) }} as context
    from entries
    where occurred_at > since_at
)

select * from final
