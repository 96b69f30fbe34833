-- One row per campaign and flow.
select
    campaign_id,
    case campaign_kind when 'newsletter' then 'Newsletter ' else 'Promotion ' end || (place + 1)
        as campaign_name,
    'campaign' as campaign_type,
    'email' as channel,
    case campaign_kind when 'newsletter' then 'News of the week' else '15 percent on everything' end
        as subject_line,
    'experiment-' || campaign_id as experiment_id,
    campaign_id as utm_campaign,
    cast(40 as decimal(18, 4)) as cost_amount,
    sends_at as started_at,
    later(sends_at, 7 * 86400) as ended_at,
    nightly(sends_at, 0) as loaded_at
from campaigns
union all by name
select
    'flow-' || flow as campaign_id,
    campaign_name,
    'flow' as campaign_type,
    'email' as channel,
    subject_line,
    'flow-' || flow as utm_campaign,
    getvariable('opening') as started_at,
    nightly(getvariable('opening'), 0) as loaded_at
from (
    values
    ('welcome', 'Welcome', 'Good to have you'),
    ('cart', 'Cart abandoned', 'Something is waiting'),
    ('winback', 'Win-back', 'It has been a while')
) as flows (flow, campaign_name, subject_line)
order by loaded_at, campaign_id
