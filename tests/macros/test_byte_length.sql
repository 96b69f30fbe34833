-- Bytes of UTF-8, not letters.
with cases (words, expected) as (
    values
    ('', 0),
    ('abc', 3),
    ('Öl', 3),
    ('€', 3),
    ('🙂', 4)
)

select
    words,
    expected
from cases
where {{ byte_length('words') }} <> expected
