select
    people.person_no as person_id,
    people.* exclude (person_no),
    opening.starts_at as entry_starts_at,
    -- From this midnight on nothing is ordered or looked at.
    getvariable('opening') + to_days(dropout_day_no) as dropout_at,
    erased.starts_at as erased_at,
    granted_at as email_granted_at,
    stops_at as email_stopped_at,
    stop_kind as email_stop_kind,
    again_at as email_granted_again_at
from people
inner join days as opening on people.entry_day_no = opening.day_no
left join days as erased on people.erasure_day_no = erased.day_no
left join email_periods using (person_no)
order by person_no
