-- What became of messages. A few events land twice, at once or in a later batch; one in four
-- thousand comes once more without its id.
with deliveries as (
    select * from mail_events where is_in_part(loaded_at)
    union all
    select * from mail_events where repetition = 'twice' and is_in_part(loaded_at)
    union all
    select * replace (loaded_at + interval 1 day as loaded_at) from mail_events
    where repetition = 'again' and is_in_part(loaded_at + interval 1 day)
    union all
    select * replace (null as code) from mail_events
    where repetition = 'without id' and is_in_part(loaded_at)
),

in_order as (
    select * from deliveries order by loaded_at, message_no, code, occurred_at
)

select
    id('m', message_no) || '-' || code as event_id,
    id('m', message_no) as message_id,
    campaign_name(campaign_no) as campaign_id,
    id('k', message_no // 512) as esp_contact_id,
    'email' as channel,
    event_type,
    bounce_type,
    variant,
    case
        when event_type = 'clicked'
            then 'https://shop.example/' || ['new', 'sale', 'books'][1 + code % 3]
    end as link_url,
    -- People behind Apple's or Google's proxy often come through it themselves.
    case
        when true_kind is null then null
        when true_kind = 'privacy_proxy' then 'Mozilla/5.0'
        when true_kind = 'scanner' and u('agent', message_no) < 0.5
            then 'Mozilla/5.0 (compatible; MailGuard LinkScan/2.1)'
        when true_kind = 'human' and event_type = 'opened' and mailbox = 'gmail'
            then 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0'
                || ' (via ggpht.com GoogleImageProxy)'
        when mailbox = 'apple' and event_type = 'opened' and u('agent', message_no) < 0.3
            then 'Mozilla/5.0'
        when mailbox = 'apple'
            then 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15'
        when true_kind = 'scanner' or u('agent', message_no) < 0.5
            then 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0'
        else 'Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; Microsoft Outlook 16.0)'
    end as user_agent,
    -- The ESP marks some of what it suspects, and is wrong now and then.
    case
        when true_kind is null or u('marks', message_no, code) < 0.6 then null
        when true_kind = 'human' then u('mark', message_no, code) < 0.02
        else u('mark', message_no, code) < 0.9
    end as is_machine,
    occurred_at,
    loaded_at
from in_order
