with cases as (
    select given.* from (
        values
        ('withdrawn', false, 'withdrawal'),
        ('withdrawn', true, 'withdrawal'),
        ('objected', false, 'bar'),
        ('restricted', true, 'bar'),
        ('unrestricted', false, 'lift'),
        ('unrestricted', true, 'request'),
        ('granted', false, 'grant'),
        ('confirmed', false, 'grant'),
        ('granted', true, 'imported_grant'),
        ('confirmed', true, 'imported_grant'),
        ('requested', false, 'request')
    ) as given (action, is_imported, expected)
)

select
    action,
    expected
from cases
where {{ statement_kind('action', 'is_imported') }} is distinct from expected
