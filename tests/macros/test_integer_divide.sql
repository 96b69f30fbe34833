-- Whole parts, also where floating point would round up.
with cases as (
    select given.* from (
        values
        (0, 7, 0),
        (6, 7, 0),
        (7, 7, 1),
        (9007199254740990, 9007199254740991, 0),
        (117849, 23570, 4)
    ) as given (dividend, divisor, expected)
),

divided as (
    select
        expected,
        {{ integer_divide('dividend', 'divisor') }} as found
    from cases
)

select
    expected,
    found
from divided
where found <> expected
