-- The clock's literals agree with each other and with the engine's own time zones.
with clock as (
    select
        {{ as_of_at() }} as as_of_at,
        {{ as_of_date() }} as as_of_date,
        {{ as_of_month() }} as as_of_month,
        {{ local_date(as_of_at()) }} as local_date
)

select
    as_of_at,
    as_of_date,
    as_of_month,
    local_date
from clock
where
    as_of_date <> local_date
    or as_of_month <> date_trunc('month', as_of_date)
