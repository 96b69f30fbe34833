-- Bytes of UTF-8, not letters.
with cases as (
    select given.* from (
        values
        ('', 0),
        ('abc', 3),
        ('Öl', 3),
        ('€', 3),
        ('🙂', 4)
    ) as given (words, expected)
)

select
    words,
    expected
from cases
where {{ byte_length('words') }} <> expected
