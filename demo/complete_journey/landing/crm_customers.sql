-- Distinct households of the transactions. The data has no sign-up date: none is invented. The
-- addresses are stand-ins on a domain that RFC 2606 reserves, so that nobody can be written to.
select
    cast(household_id as varchar) as customer_id,
    'household-' || household_id || '@example.com' as email,
    'stand-in' as signup_source
from (select distinct household_id from 'transactions.parquet')
order by household_id
