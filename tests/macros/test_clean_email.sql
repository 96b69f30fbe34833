-- Inputs and what clean_email must make of them.
with cases as (
    select given.* from (
        values
        (' Ann@Example.COM ', 'ann@example.com'),
        ('a+b@sub.example.co.uk', 'a+b@sub.example.co.uk'),
        ('grüße@example.com', 'grüße@example.com'),
        ('', null),
        ('   ', null),
        ('ann', null),
        ('ann@example', null),
        ('ann@@example.com', null),
        ('a@b@example.com', null),
        ('an n@example.com', null),
        ('@example.com', null),
        ('ann@', null),
        (null, null),
        (repeat('a', 242) || '@example.com', repeat('a', 242) || '@example.com'),
        (repeat('a', 243) || '@example.com', null)
    ) as given (address, expected)
),

cleaned as (
    select
        address,
        expected,
        {{ clean_email('address') }} as found
    from cases
)

select
    address,
    expected,
    found
from cleaned
where found is distinct from expected
