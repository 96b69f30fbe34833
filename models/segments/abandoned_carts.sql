-- Grain: cart that was open when today began, of a customer whom we may follow on the site, left
-- alone for the hours and not longer than the days of the seed segment_thresholds. Hours are those
-- of the shop's clock, counted back from 00:00 of today.
with thresholds as (
    select
        cast({{ threshold('cart_abandoner', 'hours') }} as integer) as idle_hours,
        cast({{ threshold('cart_abandoner', 'days') }} as integer) as within_days
    from {{ ref('segment_thresholds') }}
),

-- At the clock, which is later than the beginning of today: all that can be meant, and some more.
recent as (
    select carts.cart_key
    from {{ ref('fct_carts') }} as carts
    cross join thresholds
    where {{ local_date('carts.last_activity_at') }} >= {{ as_of_date() }} - thresholds.within_days
),

carts as (
    select
        *,
        {{ local_time('last_activity_at') }} as local_activity_at,
        {{ local_date('last_activity_at') }} as last_activity_date
    from {{ carts_as_of(as_of_date(), 'recent') }}
    where is_open
),

customers as (
    select * from {{ ref('trackable_customers') }}
),

final as (
    select
        carts.cart_key,
        carts.store,
        carts.cart_id,
        carts.customer_key,
        carts.first_added_at,
        carts.last_activity_at,
        carts.last_activity_date,
        carts.checkout_started_at,
        carts.product_count,
        carts.quantity,
        carts.cart_base_amount,
        row_number() over (
            partition by carts.customer_key
            order by carts.last_activity_at desc nulls last, carts.cart_key asc
        ) as cart_rank
    from carts
    inner join customers on carts.customer_key = customers.customer_key
    cross join thresholds
    where
        {{ dbt.dateadd('hour', 'thresholds.idle_hours', 'carts.local_activity_at') }}
        <= cast({{ as_of_date() }} as timestamp)
        and carts.last_activity_date >= {{ as_of_date() }} - thresholds.within_days
)

select * from final
