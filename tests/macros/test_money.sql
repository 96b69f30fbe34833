-- Four decimals, rounded half away from zero; the largest amount that staging lets through fits.
with cases as (
    select
        {{ money('1.00005') }} as rounded,
        {{ money('999999999.9999 * 10000') }} as largest
)

select
    rounded,
    largest
from cases
where rounded <> 1.0001 or largest <> 9999999999999
