-- Flow messages, after what people did. They change no order.
create table flow_messages as
with subscribed as (
    select
        *,
        stops_at is null as never_stopped
    from email_periods
),

triggers as (
    select
        person_no,
        later(granted_at, 300) as sent_at,
        'welcome' as campaign_kind,
        null::bigint as cart_no
    from subscribed
    union all
    select
        person_no,
        later(starts_at, 4 * 3600) as sent_at,
        'cart' as campaign_kind,
        cart_no
    from visits
    where kind = 0 and has_cart and u('cart flow', session_no) < 0.4
    union all
    select
        person_no,
        later(ordered_at, 120 * 86400) as sent_at,
        'win-back' as campaign_kind,
        null as cart_no
    from orders
    qualify coalesce(
        lead(ordered_at) over (partition by person_no order by ordered_at)
        > ordered_at + interval 120 days,
        true
    )
)

select
    person_no * 512::bigint + 150
    + row_number() over (partition by person_no order by sent_at, campaign_kind) as message_no,
    person_no,
    campaign_kind,
    sent_at,
    cart_no
from triggers
inner join email_periods using (person_no)
where
    sent_at > granted_at
    and may_be_sent(sent_at, stops_at, again_at, stops_again_at, ends_at)
qualify message_no < person_no * 512::bigint + 512;

-- Every message that was sent, and what became of it: delivered or not, opened by whom, clicked.
create table messages as
with sent as (
    select
        message_no,
        person_no,
        campaign_kind,
        campaign_no,
        variant,
        sent_at,
        fate,
        null::bigint as cart_no
    from campaign_messages where not is_holdout
    union all by name
    select
        message_no,
        person_no,
        campaign_kind,
        case campaign_kind when 'welcome' then 400 when 'cart' then 401 else 402 end as campaign_no,
        sent_at,
        case
            when u('flow fate', message_no) < parameter('soft_bounce_rate') then 'soft'
            else 'delivered'
        end as fate,
        cart_no
    from flow_messages
),

caused as (
    select message_no, min(ordered_at) as ordered_at
    from orders where message_no is not null
    group by message_no
),

delivered as (
    select
        sent.*,
        mailbox,
        click_rate,
        caused.ordered_at,
        case
            when fate not in ('hard', 'soft', 'dropped')
                then later(sent_at, 2 + 40 * pow(u('delivery', message_no), 3))
        end as delivered_at,
        caused.ordered_at is not null or fate in ('unsubscribed', 'complained')
        or u('opens', message_no) < open_rate * case
            when sent_at >= gone.starts_at then parameter('open_when_gone_factor') else 1
        end as is_opened
    from sent
    inner join people using (person_no)
    left join caused using (message_no)
    left join days as gone on people.dropout_day_no = gone.day_no
),

opened as (
    select
        *,
        case
            when delivered_at is null or not is_opened then null
            -- Six minutes or more before the order that it led to.
            when ordered_at is not null
                then later(
                    delivered_at,
                    20 + (epoch(ordered_at) - epoch(delivered_at) - 840)
                    * u('open share', message_no) / 2
                )
            -- A quarter sits at the inbox; the others come over hours and days.
            when u('prompt', message_no) < 0.27
                then later(delivered_at, 4 + 50 * u('prompt open', message_no))
            else later(delivered_at, 60 + 14000 * exponential('open', message_no))
        end as opened_at,
        -- Apple's proxy fetches most messages, half of them at once; scanners fetch within seconds.
        case
            when delivered_at is null then null
            when mailbox = 'apple' and u('prefetched', message_no) < 0.75
                then later(
                    delivered_at,
                    case when u('at once', message_no) < 0.5 then 3 + 50 * u('prefetch', message_no)
                        else 61 + 9000 * exponential('prefetch', message_no) end
                )
            when mailbox = 'scanned' and u('scanned', message_no) < 0.8
                then later(delivered_at, 1 + 12 * u('scan', message_no))
        end as fetched_at
    from delivered
)

select
    message_no,
    person_no,
    campaign_kind,
    campaign_no,
    variant,
    sent_at,
    fate,
    cart_no,
    mailbox,
    delivered_at,
    case when opened_at < clock() then opened_at end as opened_at,
    case when fetched_at < clock() then fetched_at end as fetched_at,
    case when opened_at < clock() and pick(5, 'opens again', message_no) = 0
        then later(opened_at, 600 + 40000 * exponential('second open', message_no)) end
        as opened_again_at,
    case
        when ordered_at is not null or u('clicks', message_no) < click_rate
            then later(opened_at, 5 + 100 * u('click', message_no))
    end as drawn_clicked_at,
    case when drawn_clicked_at < clock() then drawn_clicked_at end as clicked_at,
    mailbox = 'scanned' and fetched_at is not null and u('scanner clicks', message_no) < 0.6
        as is_clicked_by_scanner,
    ordered_at,
    case
        when fate in ('unsubscribed', 'complained')
            then later(opened_at, 20 + 200 * u('ends', message_no))
    end as ended_at
from opened;
