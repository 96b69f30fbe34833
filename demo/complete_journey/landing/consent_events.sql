-- Stand-ins, and `collected_via` says so: both purposes granted at the household's first basket.
select
    purpose || '-' || household_id as event_id,
    cast(household_id as varchar) as customer_id,
    purpose,
    'granted' as action,
    'demo stand-in' as collected_via,
    first_basket_at as occurred_at
from (
    select household_id, min(transaction_timestamp) as first_basket_at
    from 'transactions.parquet'
    group by household_id
)
cross join (values ('email_marketing'), ('profiling')) as purposes (purpose)
order by household_id, purpose
