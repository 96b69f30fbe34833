-- The engine tells the time in every zone that staging lets through, and staging in no other.
with cases as (
    select given.* from (
        values
        {%- for zone in modules.pytz.all_timezones %}
        ('{{ zone }}', true),
        {%- endfor %}
        ('europe/berlin', false),
        ('Berlin', false),
        ('+02:00', false),
        ('', false)
    ) as given (timezone, expected)
),

found as (
    select
        timezone,
        expected,
        {{ is_known_timezone('timezone') }} as is_known
    from cases
),

told as (
    select
        *,
        case
            when is_known
                then {{ local_time_in("timestamp '2024-06-01 12:00:00'", 'timezone') }}
        end as own_time
    from found
)

select
    timezone,
    expected,
    is_known,
    own_time
from told
where
    is_known <> expected
    or (is_known and own_time is null)
    or (timezone = 'Asia/Tokyo' and own_time <> timestamp '2024-06-01 21:00:00')
