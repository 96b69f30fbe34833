{#
    Opens and clicks, each with who did it as far as can be told: likely_human, privacy_proxy,
    scanner or unknown. Speed alone says little: many people open within a minute.

    Args:
        events (str): a table, or a CTE: all that is known by the clock of the messages to look at,
            as in stg_esp__events.
    Returns: str, a query; the grain is the event.
#}
{% macro judged_reactions(events) -%}
    with reactions as (
        select * from {{ events }}
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
        inner join {{ ref('user_agent_rules') }} as rules
            on
                (rules.is_whole and user_agents.user_agent = rules.pattern)
                or (not rules.is_whole and contains(user_agents.user_agent, rules.pattern))
        group by user_agents.user_agent
    ),

    deliveries as (
        select
            store,
            message_id,
            coalesce(
                min(case when event_type = 'delivered' then occurred_at end), min(occurred_at)
            ) as delivered_at
        from {{ events }}
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
    )

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
        end as kind
    from reactions
    left join deliveries
        on reactions.store = deliveries.store and reactions.message_id = deliveries.message_id
    left join judged_user_agents on lower(reactions.user_agent) = judged_user_agents.user_agent
    left join swept
        on reactions.store = swept.store and reactions.message_id = swept.message_id
{%- endmacro %}
