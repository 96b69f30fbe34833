-- Today's sizes three ways: the memberships, the open spells by day, the sizes.
select
    sizes.segment_id,
    sizes.customer_count,
    daily.member_count
from {{ ref('segment_sizes') }} as sizes
left join {{ ref('segment_daily') }} as daily
    on sizes.segment_id = daily.segment_id and daily.date_day = {{ as_of_date() }}
where sizes.customer_count <> coalesce(daily.member_count, 0)
