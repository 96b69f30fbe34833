-- Both sides of every limit.
with cases as (
    select
        'amount' as what,
        {{ is_absurd_amount('999999999.9999') }} as below,
        {{ is_absurd_amount('1000000000') }} and {{ is_absurd_amount('-1000000000') }} as at_limit
    union all
    select
        'quantity' as what,
        {{ is_absurd_quantity('9999999') }} as below,
        {{ is_absurd_quantity('10000000') }} as at_limit
    union all
    select
        'time' as what,
        {{ is_absurd_time("timestamp '1990-01-01 00:00:00'") }} as below,
        {{ is_absurd_time("timestamp '1989-12-31 23:59:59'") }} as at_limit
)

select
    what,
    below,
    at_limit
from cases
where below or not at_limit
