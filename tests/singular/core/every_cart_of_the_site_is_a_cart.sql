-- Carts and additions as staging has them, and as core has them.
with expected as (
    select
        count(distinct store || chr(31) || cart_id) as cart_count,
        count(*) as addition_count
    from {{ ref('stg_web__events') }}
    where event_type = 'add_to_cart' and cart_id is not null
),

found as (
    select
        (
            select count(*) from {{ ref('fct_carts') }}
            where cart_id is not null
        ) as cart_count,
        (
            select count(*) from {{ ref('fct_cart_events') }}
            where event_type = 'add_to_cart' and cart_id is not null
        ) as addition_count
)

select
    expected.cart_count,
    found.cart_count as found_cart_count,
    expected.addition_count,
    found.addition_count as found_addition_count
from expected
cross join found
where
    expected.cart_count <> found.cart_count or expected.addition_count <> found.addition_count
