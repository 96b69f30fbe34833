-- Grain: customer who may be written to. A model of the shop's own, on a mart of the package.
select
    customer_key,
    email
from {{ ref('lettershop', 'customer_profiles') }}
where is_contactable and signed_up_at < {{ lettershop.as_of_at() }}
