-- Over midnight, within a day, and none.
with cases as (
    select given.* from (
        values
        (timestamp '2024-06-10 20:59:59', 21, 8, timestamp '2024-06-10 20:59:59'),
        (timestamp '2024-06-10 21:00:00', 21, 8, timestamp '2024-06-11 08:00:00'),
        (timestamp '2024-12-31 23:30:00', 21, 8, timestamp '2025-01-01 08:00:00'),
        (timestamp '2024-06-10 00:00:00', 21, 8, timestamp '2024-06-10 08:00:00'),
        (timestamp '2024-06-10 07:59:59', 21, 8, timestamp '2024-06-10 08:00:00'),
        (timestamp '2024-06-10 08:00:00', 21, 8, timestamp '2024-06-10 08:00:00'),
        (timestamp '2024-06-10 12:30:00', 12, 14, timestamp '2024-06-10 14:00:00'),
        (timestamp '2024-06-10 11:59:59', 12, 14, timestamp '2024-06-10 11:59:59'),
        (timestamp '2024-06-10 14:00:00', 12, 14, timestamp '2024-06-10 14:00:00'),
        (timestamp '2024-06-10 23:00:00', 22, 0, timestamp '2024-06-11 00:00:00'),
        (timestamp '2024-06-10 03:00:00', 0, 6, timestamp '2024-06-10 06:00:00'),
        (timestamp '2024-06-10 12:30:00', 12, 12, timestamp '2024-06-10 12:30:00'),
        (timestamp '2024-06-10 12:30:00', null, null, timestamp '2024-06-10 12:30:00')
    ) as given (local_at, from_hour, until_hour, expected)
),

moved as (
    select
        expected,
        {{ out_of_quiet('local_at', 'from_hour', 'until_hour') }} as found
    from cases
)

select
    expected,
    found
from moved
where found is distinct from expected
