-- Grain: calendar day, from the first that staging accepts to a year after the clock.
with numbers as (
    {%- set days = (lettershop._clock().date() - modules.datetime.date(1990, 1, 1)).days + 367 %}
    {{ dbt.generate_series(days) }}
),

days as (
    select date '1990-01-01' + cast(generated_number - 1 as integer) as date_day
    from numbers
),

final as (
    select
        cast(date_day as date) as date_day,
        cast(extract(year from date_day) as integer) as year_number,
        cast(extract(quarter from date_day) as integer) as quarter_number,
        cast(extract(month from date_day) as integer) as month_number,
        cast(extract(day from date_day) as integer) as day_of_month,
        cast({{ iso_day_of_week('date_day') }} as integer) as day_of_week,
        cast(date_trunc('week', date_day) as date) as week_start_date,
        cast(date_trunc('month', date_day) as date) as month_start_date,
        {{ iso_day_of_week('date_day') }} in (6, 7) as is_weekend,
        date_day < {{ as_of_date() }} as is_whole
    from days
)

select * from final
