-- There and back, in summer and in winter; a zone that nobody knows is the shop's.
with cases as (
    select given.* from (
        values
        (timestamp '2024-06-10 12:00:00', 'Europe/Berlin', timestamp '2024-06-10 14:00:00'),
        (timestamp '2024-12-10 12:00:00', 'Europe/Berlin', timestamp '2024-12-10 13:00:00'),
        (timestamp '2024-06-10 12:00:00', 'Asia/Kolkata', timestamp '2024-06-10 17:30:00'),
        (timestamp '2024-06-10 12:00:00', 'Pacific/Auckland', timestamp '2024-06-11 00:00:00')
    ) as given (utc_at, time_zone, local_at)
)

select utc_at
from cases
where
    {{ local_time_in('utc_at', 'time_zone') }} <> local_at
    or {{ utc_time_from('local_at', 'time_zone') }} <> utc_at
    or {{ usable_time_zone('time_zone') }} <> time_zone
    or {{ usable_time_zone("time_zone || 'x'") }} <> '{{ var("shop_timezone") }}'
    or {{ usable_time_zone('nullif(time_zone, time_zone)') }} <> '{{ var("shop_timezone") }}'
