-- The first moment of a day is the first of which local_date says that it is that day.
with dates as (
    select given.* from (
        values (date '2024-01-01'), (date '2024-03-31'), (date '2024-07-01'), (date '2024-10-27')
    ) as given (date_day)
)

select date_day
from dates
where
    {{ local_date(day_begins_at('date_day')) }} <> date_day
    or {{ local_date(day_begins_at('date_day') ~ " - interval '1 second'") }} >= date_day
