-- The first broken rule speaks, a condition that is null breaks nothing, and of what was deleted
-- before the clock only the key is asked for.
with cases as (
    select given.* from (
        values
        ('a', 5, null, null),
        ('a', -1, null, 'negative'),
        ('a', -9, null, 'negative'),
        ('a', 20, null, 'large'),
        ('a', null, null, null),
        ('a', -1, timestamp '1999-01-01 00:00:00', null),
        ('a', -1, timestamp '9999-01-01 00:00:00', 'negative'),
        (null, 5, timestamp '1999-01-01 00:00:00', 'no key')
    ) as given (id, amount, deleted_at, expected)
),

judged as (
    select
        id,
        amount,
        expected,
        {{ reject_reason([
            ('id is null', 'no key'),
            ('amount < 0', 'negative'),
            ('amount < -5', 'very negative'),
            ('amount > 10', 'large'),
        ]) }} as found
    from cases
)

select
    id,
    amount,
    expected,
    found
from judged
where found is distinct from expected
