-- A newsletter each Thursday, to one eighth of the subscribers in turn; a promotion each month, to
-- one half in turn. Who gets which does not depend on what anybody did.
create table campaigns as
with newsletters as (
    select
        day_no,
        starts_at,
        cast(row_number() over (order by day_no) - 1 as integer) as place,
        'newsletter' as campaign_kind
    from days where weekday = 4
),

promotions as (
    select
        day_no,
        starts_at,
        cast(row_number() over (order by day_no) - 1 as integer) as place,
        'promo' as campaign_kind
    from days where weekday = 2 and day(day) <= 7
)

select
    cast(place as integer) as campaign_no,
    place,
    campaign_kind,
    day_no,
    later(starts_at, 8 * 3600) as sends_at,
    'nl-' || place as campaign_id
from newsletters
union all
select
    cast(110 + place as integer) as campaign_no,
    place,
    campaign_kind,
    day_no,
    later(starts_at, 10 * 3600) as sends_at,
    'promo-' || place as campaign_id
from promotions
order by campaign_no;

-- Whoever would get a campaign if nothing had stopped it, and what would become of the message.
create table planned_messages as
select
    subscriptions.person_no * 512::bigint + campaigns.campaign_no as message_no,
    subscriptions.person_no,
    campaigns.campaign_no,
    campaigns.campaign_kind,
    campaigns.day_no,
    later(campaigns.sends_at, 2400 * u('sending', subscriptions.person_no)) as sent_at,
    if(u('variant', subscriptions.person_no, campaigns.campaign_no) < 0.5, 'a', 'b') as variant,
    u('holdout', subscriptions.person_no, campaigns.campaign_no) < parameter('holdout_rate')
        as is_holdout,
    case
        when fate < parameter('hard_bounce_rate') then 'hard'
        when fate < parameter('hard_bounce_rate') + parameter('soft_bounce_rate') then 'soft'
        when fate < parameter('hard_bounce_rate') + parameter('soft_bounce_rate')
            + parameter('drop_rate') then 'dropped'
        when fate > 1 - people.unsubscribe_rate then 'unsubscribed'
        when fate > 1 - people.unsubscribe_rate - parameter('complaint_rate') then 'complained'
        else 'delivered'
    end as fate
from subscriptions
inner join people on subscriptions.person_no = people.person_no
inner join campaigns
    on campaigns.place % case campaigns.campaign_kind when 'newsletter' then 8 else 2 end
        = case campaigns.campaign_kind
            when 'newsletter' then pick(8, 'cohort', subscriptions.person_no)
            else pick(2, 'half', subscriptions.person_no)
        end
    and campaigns.sends_at > subscriptions.granted_at
cross join lateral (
    select u('fate', subscriptions.person_no, campaigns.campaign_no) as fate
) as fates
where campaigns.sends_at < coalesce(subscriptions.erased_at, clock());

-- When nobody may write to a person any more, and from when on again.
create table email_periods as
with stops as (
    select person_no, sent_at as stops_at, fate
    from planned_messages
    where not is_holdout and fate in ('hard', 'unsubscribed', 'complained')
    union all
    select person_no, withdrawn_at, 'withdrawn'
    from subscriptions where withdrawn_at is not null
),

first_stops as (
    select
        person_no,
        min(stops_at) as stops_at,
        arg_min(fate, stops_at) as stop_kind
    from stops group by person_no
),

periods as (
    select
        subscriptions.*,
        stops_at,
        stop_kind,
        case
            when
                stop_kind in ('withdrawn', 'unsubscribed')
                and pick(6, 'grants again', person_no) = 0
                then later(stops_at, 86400 * (20 + pick(210, 'granted again', person_no)))
        end as again_at
    from subscriptions
    left join first_stops using (person_no)
)

select
    periods.person_no,
    periods.granted_at,
    periods.stops_at,
    periods.stop_kind,
    periods.again_at,
    min(stops.stops_at) as stops_again_at,
    arg_min(stops.fate, stops.stops_at) as stop_again_kind,
    coalesce(periods.erased_at, clock()) as ends_at
from periods
left join stops on periods.person_no = stops.person_no and stops.stops_at > periods.again_at
group by all;

create macro may_be_sent(moment, stops_at, again_at, stops_again_at, ends_at) as
    moment < ends_at
    and (
        moment <= coalesce(stops_at, ends_at)
        or (moment > again_at and moment <= coalesce(stops_again_at, ends_at))
    );

-- The campaign messages that were meant to go out: those to a holdout did not.
create table campaign_messages as
select planned_messages.*
from planned_messages
inner join email_periods using (person_no)
where may_be_sent(sent_at, stops_at, again_at, stops_again_at, ends_at);

drop table planned_messages;
