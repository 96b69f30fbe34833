-- The largest amounts and quantities that staging lets through, to the last place.
with cases as (
    select
        cast(999999999.9999 as decimal(18, 4)) as amount,
        cast(9999999.9999 as decimal(18, 4)) as quantity,
        cast(1.234567891 as decimal(18, 9)) as rate
)

select
    amount,
    quantity,
    rate
from cases
where
    {{ product_of('amount', 'quantity') }} <> 9999999999899000.00000001
    or round({{ product_of('amount', 'rate') }}, 4) <> 1234567890.9999
