-- One spelling per type; null where the value does not fit, and for null.
with cases as (
    select
        given.attribute_type,
        given.written,
        given.expected
    from (
        values
        ('text', ' Gold ', ' Gold '),
        ('text', '12', '12'),
        ('number', '12', '12'),
        ('number', '-12.50', '-12.5'),
        ('number', '+007', '7'),
        ('number', '100', '100'),
        ('number', '0.00', '0'),
        ('number', '1,200', null),
        ('number', 'NaN', null),
        ('number', '1e3', null),
        ('number', '0.123456789', null),
        ('number', '', null),
        ('boolean', 'Yes', 'true'),
        ('boolean', 'F', 'false'),
        ('boolean', '1', 'true'),
        ('boolean', 'perhaps', null),
        ('date', '2024-02-29', '2024-02-29'),
        ('date', '2024-02-29T23:59:59Z', '2024-02-29'),
        ('date', '2024-02-30', null),
        ('date', '29.02.2024', null),
        ('date', '2024-02-29 and more', null),
        ('colour', 'red', null),
        ('number', null, null)
    ) as given (attribute_type, written, expected)
),

spelled as (
    select
        attribute_type,
        written,
        expected,
        {{ attribute_text('written', 'attribute_type') }} as found
    from cases
)

select
    attribute_type,
    written,
    expected,
    found
from spelled
where found is distinct from expected
