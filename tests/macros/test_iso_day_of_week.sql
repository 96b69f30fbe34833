-- A known week, from Monday to Sunday.
with cases as (
    select given.* from (
        values
        (date '2024-01-01', 1),
        (date '2024-01-06', 6),
        (date '2024-01-07', 7)
    ) as given (date_day, expected)
),

numbered as (
    select
        date_day,
        expected,
        {{ iso_day_of_week('date_day') }} as found
    from cases
)

select
    date_day,
    expected,
    found
from numbered
where found <> expected
