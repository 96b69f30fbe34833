-- Text that ESPs read, there and back.
with cases as (
    select given.* from (
        values
        (timestamp '2024-06-10 20:59:59', '2024-06-10T20:59:59Z'),
        (timestamp '2024-01-01 00:00:00', '2024-01-01T00:00:00Z')
    ) as given (written_at, expected)
)

select
    expected,
    {{ iso_text('written_at') }} as found
from cases
where
    {{ iso_text('written_at') }} <> expected
    or {{ time_of_iso_text('expected') }} <> written_at
