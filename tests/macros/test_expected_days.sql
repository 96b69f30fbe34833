-- Purchase days expected in a year equal the formula of the MBG/NBD, worked out in doubles.
with cases as (
    select given.* from (
        values
        -- Bought yesterday for the first time; the same 200 days ago.
        (1, 1, 1, 2.084929),
        (1, 200, 200, 0.250542),
        -- Once a month for ten months: on time, and away for 200 days.
        (11, 5, 305, 10.356436),
        (11, 200, 305, 0.016495),
        -- Every day for years, then no more: as good as nothing, and no overflow.
        (4000, 3000, 3650, 0.0),
        (null, null, null, null)
    ) as given (purchase_day_count, recency_days, age_days, expected)
),

judged as (
    select
        purchase_day_count,
        expected,
        {{ expected_days('purchase_day_count', 'recency_days', 'age_days') }} as found
    from cases
)

select
    purchase_day_count,
    expected,
    found
from judged
where abs(found - expected) > 0.000001 or (found is null) <> (expected is null)
