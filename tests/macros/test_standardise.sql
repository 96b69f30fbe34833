-- Inputs and what standardise must make of them.
with cases (written, expected) as (
    values
    ('cancelled', 'cancelled'),
    ('Canceled', 'cancelled'),
    ('VOID', 'cancelled'),
    ('shipped', 'fulfilled'),
    ('cancel', null),
    ('', null),
    (null, null)
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
