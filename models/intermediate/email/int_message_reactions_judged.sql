{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ restate_changed(
        this, 'message_hash', message_fingerprints(has_reactions=true), is_repeated=true
    ) }}"
) }}

-- Opens and clicks, each with who did it as far as can be told: likely_human, privacy_proxy,
-- scanner or unknown. Speed alone says little: many people open within a minute.
with events as (
    select * from {{ ref('stg_esp__events') }}
    where
        occurred_at < {{ as_of_at() }}
        and {{ is_restated(this, 'message_hash') }}
),

fingerprints as (
    {{ restated_fingerprints(this, message_fingerprints(has_reactions=true)) }}
),

rules as (
    select * from {{ ref('user_agent_rules') }}
),

reactions as (
    select * from events
    where event_type in ('opened', 'clicked')
),

user_agents as (
    select distinct lower(user_agent) as user_agent from reactions
    where user_agent is not null
),

judged_user_agents as (
    select
        user_agents.user_agent,
        min_by(rules.kind, rules.priority) as kind
    from user_agents
    inner join rules
        on
            (rules.is_whole and user_agents.user_agent = rules.pattern)
            or (not rules.is_whole and contains(user_agents.user_agent, rules.pattern))
    group by user_agents.user_agent
),

deliveries as (
    select
        store,
        message_id,
        coalesce(min(case when event_type = 'delivered' then occurred_at end), min(occurred_at))
            as delivered_at
    from events
    where event_type in ('delivered', 'sent')
    group by store, message_id
),

-- A scanner follows every link at once, within seconds of the delivery.
swept as (
    select
        reactions.store,
        reactions.message_id
    from reactions
    inner join deliveries
        on
            reactions.store = deliveries.store
            and reactions.message_id = deliveries.message_id
    where
        reactions.event_type = 'clicked'
        and reactions.occurred_at < deliveries.delivered_at + interval '20 seconds'
    group by reactions.store, reactions.message_id
    having count(distinct coalesce(reactions.link_url, reactions.event_id)) > 1
),

final as (
    select
        reactions.store,
        reactions.event_id,
        reactions.message_id,
        reactions.event_type,
        reactions.occurred_at,
        case
            when judged_user_agents.kind = 'scanner' then 'scanner'
            when
                swept.message_id is not null
                and reactions.occurred_at < deliveries.delivered_at + interval '20 seconds'
                then 'scanner'
            -- What the ESP says beats what the user agent says, but for programs.
            when reactions.is_machine and reactions.event_type = 'clicked' then 'scanner'
            when reactions.is_machine then 'privacy_proxy'
            when not reactions.is_machine then 'likely_human'
            when judged_user_agents.kind is not null then judged_user_agents.kind
            -- A click takes more than a user agent to fake; an open without one may be anybody's.
            when reactions.user_agent is null and reactions.event_type = 'opened' then 'unknown'
            else 'likely_human'
        end as kind,
        reactions.message_hash,
        fingerprints.fingerprint
    from reactions
    inner join fingerprints
        on reactions.message_hash = fingerprints.changed_key
    left join deliveries
        on reactions.store = deliveries.store and reactions.message_id = deliveries.message_id
    left join judged_user_agents on lower(reactions.user_agent) = judged_user_agents.user_agent
    left join swept
        on reactions.store = swept.store and reactions.message_id = swept.message_id
)

select * from final
