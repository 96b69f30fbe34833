-- The window holds its number of whole days before the day, that day not included.
with cases as (
    select given.* from (
        values
        (date '2024-05-31', true),
        (date '2024-05-02', true),
        (date '2024-05-01', {{ 'true' if var('rfm_window_days') is none else 'false' }})
    ) as given (order_date, expected)
),

judged as (
    select
        order_date,
        expected,
        {{ in_rfm_window('order_date', "date '2024-05-02' + " ~ (var('rfm_window_days') or 30)) }}
            as found
    from cases
)

select
    order_date,
    expected,
    found
from judged
where found <> expected
