-- Who likes the shop says so. This source does not tell when it was loaded.
with rendered as (
    select
        id('i', person_no) || '-' || place as event_id,
        email,
        ['photogram', 'facepage', 'chirper'][1 + pick(3, 'network', person_no, place)] as network,
        ['like', 'like', 'like', 'comment', 'share', 'follow', 'mentions'][
            1 + pick(7, 'interaction', person_no, place)
        ] as interaction_type,
        later(
            entry_at,
            u('interacts', person_no, place) * 86400
            * (least(last_day_no, getvariable('days') - 1) - entry_day_no)
        ) as occurred_at
    from people
    cross join range(3) as places (place)
    where
        kind = 'account' and not is_sharing_inbox and last_day_no > entry_day_no + 1
        and u('is social', person_no, place) < 0.08
)

select * from rendered
union all
select * from rendered where hash(event_id, 'twice') % 70 = 0
union all by name
select 'bad-' || event_id as event_id, email, 'wink' as interaction_type, occurred_at
from rendered where hash(event_id, 'bad') % 1500 = 0
order by occurred_at, event_id
