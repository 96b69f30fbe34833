-- The first identifier that is there speaks; a qualifier is no part of its type.
with cases as (
    select given.* from (
        values
        ('c', 'x', 'e', 'customer_id'),
        (null, 'x', 'e', 'esp_contact_id'),
        (null, null, 'e', 'email'),
        (null, null, null, 'email')
    ) as given (customer_id, esp_contact_id, email, expected)
),

typed as (
    select
        cases.expected,
        {{ identifier_type(['cases.customer_id', 'esp_contact_id', 'email']) }} as found
    from cases
)

select
    expected,
    found
from typed
where found is distinct from expected
