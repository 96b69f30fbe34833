-- Inputs and what standardise must make of them.
with cases as (
    select given.* from (
        values
        ('cancelled', 'cancelled'),
        ('Canceled', 'cancelled'),
        ('VOID', 'cancelled'),
        ('shipped', 'fulfilled'),
        ('cancel', null),
        ('', null),
        (null, null)
    ) as given (written, expected)
),

standardised as (
    select
        written,
        expected,
        {{ standardise('written', 'order_status') }} as found
    from cases
)

select
    written,
    expected,
    found
from standardised
where found is distinct from expected
