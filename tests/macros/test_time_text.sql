-- Text that keys are made of: the microseconds that there are, and no zero behind them.
with cases as (
    select given.* from (
        values
        (timestamp '2024-06-10 20:59:59', '2024-06-10 20:59:59'),
        (timestamp '2024-06-10 20:00:00', '2024-06-10 20:00:00'),
        (timestamp '2024-06-10 20:59:59.5', '2024-06-10 20:59:59.5'),
        (timestamp '2024-06-10 20:59:50.000120', '2024-06-10 20:59:50.00012'),
        (timestamp '2024-06-10 20:59:59.123456', '2024-06-10 20:59:59.123456')
    ) as given (written_at, expected)
)

select
    expected,
    {{ time_text('written_at') }} as found
from cases
where {{ time_text('written_at') }} <> expected
