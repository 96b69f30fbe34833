-- The shop's days. Day 0 is the first; the last ends where the clock stands.
create table days as
with dates as (
    select
        cast(day_no as integer) as day_no,
        cast(getvariable('clock_date') as date)
        - cast(getvariable('days') - day_no as integer) as day
    from range(getvariable('days')) as numbers (day_no)
),

-- Black Friday is the Friday from the 23rd to the 29th of November.
with_black_friday as (
    select
        *,
        make_date(year(day), 11, 29)
        - cast((isodow(make_date(year(day), 11, 29)) + 2) % 7 as integer) as black_friday
    from dates
)

select
    day_no,
    day,
    cast(isodow(day) as integer) as weekday,
    (cast(day as timestamp) at time zone 'Europe/Berlin') at time zone 'UTC' as starts_at,
    -- How much is ordered on the day: about 1, more in winter, at week-ends and before Christmas.
    (1 + 0.12 * cos(2 * pi() * (dayofyear(day) - 350) / 365.25))
    * [1.0, 0.95, 0.95, 1.0, 1.05, 0.95, 1.1][isodow(day)]
    * case
        when abs(day - black_friday) <= 4 then 1 + 1.5 / (1 + abs(day - black_friday))
        when month(day) = 12 and day(day) <= 18 then 1.3
        when month(day) = 12 and day(day) between 24 and 26 then 0.6
        else 1
    end as season
from with_black_friday
order by day_no;

-- A person's season: the shop's, with a weekday they like. `passed` is the season of all days
-- before, `passed_after` with this day: the time in which arrivals are drawn.
create table seasons as
with weighted as (
    select
        cast(favourite_weekday as integer) as favourite_weekday,
        day_no,
        cast(
            season * case
                when weekday = favourite_weekday then parameter('favourite_weekday_factor')
                else (7 - parameter('favourite_weekday_factor')) / 6
            end as decimal(18, 9)
        ) as season
    from days cross join range(1, 8) as weekdays (favourite_weekday)
)

select
    favourite_weekday,
    day_no,
    cast(season as double) as season,
    cast(sum(season) over before_and_now - season as double) as passed,
    cast(sum(season) over before_and_now as double) as passed_after
from weighted
window before_and_now as (
    partition by favourite_weekday order by day_no
    rows between unbounded preceding and current row
)
order by favourite_weekday, day_no;
