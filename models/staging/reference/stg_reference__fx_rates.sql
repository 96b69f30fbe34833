with rates as (
    select * from {{ ref('base_reference__fx_rates') }}
),

final as (
    select
        store,
        currency,
        rate_date,
        -- A rate holds until the next one; the newest holds on.
        coalesce(
            lead(rate_date) over (partition by store, currency order by rate_date),
            date '9999-12-31'
        ) as valid_until_date,
        rate_to_base
    from rates
    where row_status = 'accepted'
)

select * from final
