-- What fits its type, and null for what does not; a number is no time.
with cases as (
    select given.* from (
        values
        ('2018-01-31 05:00:00', timestamp '2018-01-31 05:00:00', date '2018-01-31'),
        ('2018-01-31', timestamp '2018-01-31 00:00:00', date '2018-01-31'),
        ('1514764800', cast(null as timestamp), cast(null as date)),
        ('0', cast(null as timestamp), cast(null as date)),
        ('-1', cast(null as timestamp), cast(null as date)),
        ('yesterday', cast(null as timestamp), cast(null as date)),
        ('', cast(null as timestamp), cast(null as date))
    ) as given (said, expected_at, expected_date)
)

select
    said,
    {{ try_cast('said', 'timestamp') }} as found_at,
    {{ try_cast('said', 'date') }} as found_date
from cases
where
    {{ try_cast('said', 'timestamp') }} is distinct from expected_at
    or {{ try_cast('said', 'date') }} is distinct from expected_date
