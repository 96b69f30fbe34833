-- Patterns are not anchored, and null stays null.
with cases as (
    select given.* from (
        values
        ('nightly import', true),
        ('important', false),
        (null, null)
    ) as given (written, expected)
),

matched as (
    select
        written,
        expected,
        {{ matches('written', '(^|[^a-z])import([^a-z]|$)') }} as found
    from cases
)

select
    written,
    expected,
    found
from matched
where found is distinct from expected
