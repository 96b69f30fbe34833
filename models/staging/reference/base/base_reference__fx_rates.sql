with source as (
    select * from {{ landing('reference', 'fx_rates') }}
),

judged as (
    select
        *,
        upper(currency) as clean_currency,
        {{ reject_reason([
            ('currency is null', 'currency is missing'),
            ('not ' ~ matches('upper(currency)', '^[A-Z]{3}$'), 'currency is no ISO 4217 code'),
            ('rate_date is null', 'rate_date is missing or no date'),
            ('rate_to_base is null', 'rate_to_base is missing or no number'),
            ('rate_to_base <= 0', 'rate_to_base is not positive'),
            ('rate_to_base >= 1000000', 'rate_to_base is absurd'),
        ], key_rules=3) }} as reject_reason,
        coalesce(rate_date > {{ as_of_date() }}, false) as is_not_yet,
        false as is_withheld
    from source
),

ranked as (
    select
        *,
        {{ row_status(['store', 'clean_currency', 'rate_date']) }} as row_status
    from judged
),

final as (
    select
        store,
        clean_currency as currency,
        rate_date,
        rate_to_base,
        loaded_at,
        currency || ' ' || cast(rate_date as varchar) as row_key,
        row_status,
        reject_reason,
        {{ unusable_columns() }} as unusable_columns
    from ranked
)

select * from final
