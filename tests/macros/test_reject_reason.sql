-- The first broken rule speaks, and a condition that is null breaks nothing.
with cases (amount, expected) as (
    values
    (cast(5 as integer), null),
    (-1, 'negative'),
    (-9, 'negative'),
    (20, 'large'),
    (null, null)
),

judged as (
    select
        amount,
        expected,
        {{ reject_reason([
            ('amount < 0', 'negative'),
            ('amount < -5', 'very negative'),
            ('amount > 10', 'large'),
        ]) }} as found
    from cases
)

select
    amount,
    expected,
    found
from judged
where found is distinct from expected
