select
    id('x', person_no) as request_id,
    case when pick(2, 'erased by', person_no) = 0 then id('c', person_no) end as customer_id,
    case when pick(2, 'erased by', person_no) = 1 then email end as email,
    days.starts_at as requested_at,
    nightly(days.starts_at, 0) as loaded_at
from people
inner join days on people.erasure_day_no = days.day_no
order by loaded_at, request_id
