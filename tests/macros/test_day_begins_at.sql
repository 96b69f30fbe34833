-- The first moment of a day is the first of which local_date says that it is that day.
with days as (
    select cast(day as date) as date_day
    from (values ('2024-01-01'), ('2024-03-31'), ('2024-07-01'), ('2024-10-27')) as days (day)
)

select * from days
where
    {{ local_date(day_begins_at('date_day')) }} <> date_day
    or {{ local_date(day_begins_at('date_day') ~ " - interval '1' second") }} >= date_day
