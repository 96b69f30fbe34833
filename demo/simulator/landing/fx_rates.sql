-- A rate per currency and working day: a gentle random walk, published in the evening.
with market_days as (
    select
        cast(getvariable('opening') + interval 12 hours as date) - 7 + cast(n as integer)
            as rate_date,
        cast(rate_date - date '2000-01-01' as bigint) as day_number
    from range(getvariable('days') + 7) as numbers (n)
)

select
    currency,
    rate_date,
    cast(
        base_rate * exp(
            sum(cast(0.003 * (
                u('rate', hash(currency), day_number) + u('rate', hash(currency), -day_number) - 1
            ) as decimal(18, 12))) over (partition by currency order by rate_date)
        ) as decimal(18, 9)
    ) as rate_to_base,
    cast(rate_date as timestamp) + interval 20 hours as loaded_at
from market_days
cross join currencies
where isodow(rate_date) <= 5 and currency <> 'EUR'
order by loaded_at, currency
